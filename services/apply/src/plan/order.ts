import { describeRef, type KubeObject, parseApiVersion, refOf } from '@setpoint/manifest'

/** Kinds that must stand before objects of their kind, in their namespace or with their rules can. */
const DEFINITIONS = new Set(['CustomResourceDefinition', 'Namespace', 'ClusterRole'])

/** Flux's order of kinds; what is not named stands between `first` and `last`. */
const FIRST = [
  'CustomResourceDefinition',
  'Namespace',
  'ClusterRole',
  'ClusterClass',
  'RuntimeClass',
  'PriorityClass',
  'StorageClass',
  'VolumeSnapshotClass',
  'IngressClass',
  'GatewayClass',
  'ClusterRoleBinding',
  'ResourceQuota',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'ConfigMap',
  'Secret',
  'Service',
  'LimitRange',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
]
const LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']
const RANKS = new Map([
  ...FIRST.map((kind, index): [string, number] => [kind, index]),
  ...LAST.map((kind, index): [string, number] => [kind, FIRST.length + 1 + index]),
])

export interface Stage {
  /** What the stage is made of, for messages. */
  name: 'definitions' | 'classes' | 'custom' | 'resources'
  /** The objects must be usable before the next stage starts. */
  awaited: boolean
  objects: KubeObject[]
}

/**
 * Flux's stages, each in order, without empty ones.
 * customKinds: `<group>/<kind>` of what has a stage of its own before the rest, such as Roles that RoleBindings need.
 */
export function stagesOf(
  objects: readonly KubeObject[],
  customKinds: ReadonlySet<string> = new Set(),
): Stage[] {
  const sorted = [...objects].sort(compareByOrder)
  const inStage = (wanted: Stage['name']) =>
    sorted.filter((object) => stageOf(object, customKinds) === wanted)
  const stages: Stage[] = [
    { name: 'definitions', awaited: true, objects: inStage('definitions') },
    { name: 'classes', awaited: true, objects: inStage('classes') },
    { name: 'custom', awaited: true, objects: inStage('custom') },
    { name: 'resources', awaited: false, objects: inStage('resources') },
  ]
  return stages.filter((stage) => stage.objects.length > 0)
}

function stageOf({ apiVersion, kind }: KubeObject, customKinds: ReadonlySet<string>): Stage['name'] {
  if (DEFINITIONS.has(kind)) return 'definitions'
  if (kind.endsWith('Class')) return 'classes'
  return customKinds.has(`${parseApiVersion(apiVersion).group}/${kind}`) ? 'custom' : 'resources'
}

/** Sorted objects in groups that need not wait for one another: one group for each kind that has a place in the order. */
export function wavesOf<T>(sorted: readonly T[], kindOf: (item: T) => string): T[][] {
  const waves: T[][] = []
  let before = Number.NaN
  for (const item of sorted) {
    const rank = rankOf(kindOf(item))
    if (rank === before) waves.at(-1)?.push(item)
    else waves.push([item])
    before = rank
  }
  return waves
}

/** By kind's place in Flux's order, then group, kind, namespace and name. */
export function compareByOrder(a: KubeObject, b: KubeObject): number {
  const byRank = rankOf(a.kind) - rankOf(b.kind)
  if (byRank !== 0) return byRank
  const left = sortKey(a)
  const right = sortKey(b)
  return left < right ? -1 : left > right ? 1 : 0
}

function sortKey(object: KubeObject): string {
  const ref = refOf(object)
  return `${ref.group}\n${describeRef(ref)}`
}

/** A kind's place in the order of applying; the order of deleting is the reverse. */
export function rankOf(kind: string): number {
  return RANKS.get(kind) ?? FIRST.length
}
