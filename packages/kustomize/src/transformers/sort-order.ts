import { BuildError } from '../build-error.ts'
import type { SortOptions } from '../kustomization/types.ts'
import { describeGvk, type Gvk, type ResourceId, sameGvk } from '../resource/id.ts'
import type { ResourceList } from '../resource/resource-list.ts'

const orderFirst = [
  'Namespace',
  'ResourceQuota',
  'StorageClass',
  'CustomResourceDefinition',
  'ServiceAccount',
  'PodSecurityPolicy',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
  'ConfigMap',
  'Secret',
  'Endpoints',
  'Service',
  'LimitRange',
  'PriorityClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
]
const orderLast = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']

/** Sorts the output by kind ('legacy'), or leaves it as it is ('fifo'). */
export function sortResources(list: ResourceList, options: SortOptions): void {
  if (options.order !== 'fifo' && options.order !== 'legacy') {
    throw new BuildError('bad-value', 'must be one of fifo, legacy', { field: 'sortOptions.order' })
  }
  if (options.order === 'fifo') {
    if (options.legacySortOptions === undefined) return
    throw new BuildError('bad-value', "is set, but the order is 'fifo', not 'legacy'", {
      field: 'sortOptions.legacySortOptions',
    })
  }
  const { legacySortOptions: own } = options
  const ranks = own === undefined ? defaultRanks : rankKinds(own.orderFirst ?? [], own.orderLast ?? [])
  const keyed = list.items.map((item) => ({ item, id: item.id }))
  keyed.sort((a, b) => compareIds(a.id, b.id, ranks))
  list.items = []
  list.appendAll(keyed.map(({ item }) => item))
}

const defaultRanks = rankKinds(orderFirst, orderLast)

/** Order by kind first, as field specs are ordered. */
export function compareByKind(left: Gvk, right: Gvk): number {
  return (
    rankOf(left, defaultRanks) - rankOf(right, defaultRanks) || compareText(gvkText(left), gvkText(right))
  )
}

function rankKinds(first: string[], last: string[]): Map<string, number> {
  const ranks = new Map<string, number>()
  for (const [at, kind] of first.entries()) ranks.set(kind, at - first.length)
  for (const [at, kind] of last.entries()) ranks.set(kind, at + 1)
  return ranks
}

function rankOf(gvk: Gvk, ranks: Map<string, number>): number {
  return ranks.get(gvk.kind) ?? 0
}

function compareIds(left: ResourceId, right: ResourceId, ranks: Map<string, number>): number {
  if (!sameGvk(left, right)) return compareKinds(left, right, ranks)
  return compareText(idText(left), idText(right))
}

function compareKinds(left: Gvk, right: Gvk, ranks: Map<string, number>): number {
  const rank = rankOf(left, ranks) - rankOf(right, ranks)
  if (rank !== 0) return rank
  const order = compareText(gvkText(left), gvkText(right))
  const coreNamespace =
    left.kind === 'Namespace' && right.kind === 'Namespace' && (left.group === '' || right.group === '')
  return coreNamespace ? -order : order
}

function gvkText({ group, version, kind }: Gvk): string {
  return `${group || '~G'}_${version || '~V'}_${kind || '~K'}`
}

function idText(id: ResourceId): string {
  return `${describeGvk(id)}|${id.namespace || '~X'}|${id.name || '~N'}`
}

/** Go compares strings by bytes; for what stands in names, code points come to the same. */
function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
