import { isDeepStrictEqual } from 'node:util'
import { isConditionTrue } from '@setpoint/conditions'
import { type Kustomization, ROLLBACK_ANNOTATION } from '@setpoint/contracts'
import { ReconcileError } from '@setpoint/reconcile'
import { guessTargets } from '../apply/apply-set.ts'
import type { ApplyContext, Task } from '../context.ts'
import { inventoryOf } from '../inventory.ts'
import { type Rendering, speaksOf } from '../renderings.ts'

/** What one Kustomization declares. */
export interface Declared {
  ids: ReadonlySet<string>
  /** False: its newest set is not known (yet), and the ids are those of its inventory. */
  sure: boolean
}

/** Who else declares some objects. */
export interface Claims {
  /** Key of the Kustomization, by inventory id. */
  byId: Map<string, string>
  /** Kustomizations that are about to say what they declare. */
  unsure: string[]
}

/** Other Kustomizations of the same cluster that declare some of the objects. One that is being deleted declares nothing. */
export async function claimsOn(context: ApplyContext, task: Task, ids: Iterable<string>): Promise<Claims> {
  const asked = [...ids]
  const claims: Claims = { byId: new Map(), unsure: [] }
  const isCurrent = await context.renderings.areCurrent()
  for (const key of context.kustomizations.keys()) {
    const other = rivalOf(context, task, key)
    if (other === undefined) continue
    const declared = await declaredBy(context, key, other, isCurrent)
    for (const id of asked) if (declared.ids.has(id) && !claims.byId.has(id)) claims.byId.set(id, key)
    if (!declared.sure || lagsBehind(context, task, key, other)) claims.unsure.push(key)
  }
  return claims
}

/** Another Kustomization that is there to stay and works on the same cluster. */
export function rivalOf(context: ApplyContext, task: Task, key: string): Kustomization | undefined {
  const other = key === task.key ? undefined : context.kustomizations.get(key)
  if (other === undefined || other.metadata.deletionTimestamp !== undefined) return undefined
  return sameCluster(other, task.kustomization) ? other : undefined
}

/**
 * The ids of a Kustomization's newest set. Opens the set only when this process has not applied it.
 * @param isCurrent false: NATS may hold something newer. Then the cluster knows more than we: another replica may have taken
 *   or let go of something.
 */
export async function declaredBy(
  context: ApplyContext,
  key: string,
  other: Kustomization,
  isCurrent: boolean,
): Promise<Declared> {
  const inventory = () => new Set(inventoryOf(other).map(({ id }) => id))
  const rendering = context.renderings.get(key)
  const isHeld = other.metadata.annotations?.[ROLLBACK_ANNOTATION] !== undefined
  if (other.spec.suspend || isHeld) return { ids: inventory(), sure: true }
  if (rendering === undefined || !isCurrent || !speaksOf(rendering, other))
    return { ids: inventory(), sure: false }
  const { set, problem } = rendering.message
  // One that cannot be built declares what it had; waiting for somebody to mend it would block everybody else.
  if (problem !== undefined || set === undefined) return { ids: inventory(), sure: true }
  const known = context.memory.find(key)
  if (known?.digest === set.digest && !known.pruneDue)
    return { ids: new Set(known.objects.keys()), sure: true }
  if (isSettledOn(other, set.digest)) return { ids: inventory(), sure: true }
  try {
    return { ids: await idsOf(context, key, rendering, set), sure: true }
  } catch (error) {
    context.log.debug({ kustomization: key, reason: String(error) }, 'a set could not be looked into')
    // A damaged set will not mend itself in a moment.
    return { ids: inventory(), sure: error instanceof ReconcileError }
  }
}

const idsOfRendering = new WeakMap<Rendering, ReadonlySet<string>>()

async function idsOf(
  context: ApplyContext,
  key: string,
  rendering: Rendering,
  set: NonNullable<Rendering['message']['set']>,
): Promise<ReadonlySet<string>> {
  const found = idsOfRendering.get(rendering)
  if (found !== undefined) return found
  const targets = await guessTargets(context, await context.sets.open(key, set))
  const ids = new Set(targets.map(({ id }) => id))
  idsOfRendering.set(rendering, ids)
  return ids
}

/** An earlier process has brought this very set about, and all that is stale is deleted. */
export function isSettledOn({ status = {} }: Kustomization, digest: string): boolean {
  return (
    status.history?.[0]?.digest === digest &&
    isConditionTrue(status.conditions, 'Ready') &&
    !isConditionTrue(status.conditions, 'PruneBlocked')
  )
}

/**
 * Built from the same source, but not from the same revision as we. Which of two is the newer cannot be told by their
 * times: a replica that has yet to hear of the commit may build after one that has. Only who is being deleted, and is built no
 * more, takes what was said later for newer, for it would wait in vain.
 */
export function lagsBehind(context: ApplyContext, task: Task, key: string, other: Kustomization): boolean {
  const own = task.rendering
  const theirs = context.renderings.get(key)
  if (own === undefined || theirs === undefined || other.spec.suspend) return false
  if (task.kustomization.metadata.deletionTimestamp !== undefined && theirs.time > own.time) return false
  return (
    isDeepStrictEqual(own.message.source, theirs.message.source) &&
    own.message.revision !== theirs.message.revision
  )
}

function sameCluster(a: Kustomization, b: Kustomization): boolean {
  const target = ({ spec, metadata }: Kustomization) =>
    spec.kubeConfig === undefined ? undefined : [metadata.namespace, spec.kubeConfig]
  return isDeepStrictEqual(target(a), target(b))
}
