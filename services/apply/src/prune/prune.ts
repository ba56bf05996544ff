import { KubeApiError } from '@setpoint/kube'
import { describeRef, type GroupVersionKind, type InventoryEntry, type KubeObject } from '@setpoint/manifest'
import type { ApplyContext, Task } from '../context.ts'
import { type InventoryObject, idOf, readEntry } from '../inventory.ts'
import { inParallel } from '../parallel.ts'
import { rankOf } from '../plan/order.ts'
import { isKept, ownerKeyOf } from '../switches.ts'

/** What became of objects that left the set. */
export interface Pruned {
  deleted: InventoryObject[]
  /** Ours, deleted already, but not gone yet. */
  terminating: InventoryObject[]
  /** Not deleted, or not surely: they stay in the inventory. One line for each says why. */
  failed: { entry: InventoryEntry; problem: string }[]
  /** To be deleted once somebody approves it: they stay in the inventory. */
  kept: InventoryEntry[]
}

export const NOTHING_PRUNED: Pruned = { deleted: [], terminating: [], failed: [], kept: [] }

/**
 * Deletes objects in reverse order of applying. Only those that are still labelled as this Kustomization's are deleted, exactly
 * as they were just read (uid and resource version); one that is gone, kept by a switch, or somebody else's now is left alone.
 * uidsInUse: objects that must survive whatever they are called, because they were just applied under another group.
 */
export async function prune(
  context: ApplyContext,
  task: Task,
  objects: readonly InventoryObject[],
  uidsInUse: ReadonlySet<string> = new Set(),
): Promise<Pruned> {
  const pruned: Pruned = { deleted: [], terminating: [], failed: [], kept: [] }
  for (const wave of inReverseOrder(objects)) {
    await inParallel(wave, context.parallel, async (object) => {
      const problem = await pruneOne(context, task, object, uidsInUse, pruned)
      if (problem !== undefined) pruned.failed.push({ entry: object.entry, problem })
    })
  }
  return pruned
}

/** The entries of an inventory that the new one does not have, for kinds that are still served. */
export async function staleObjects(
  context: ApplyContext,
  before: readonly InventoryEntry[],
  after: readonly InventoryEntry[],
): Promise<InventoryObject[]> {
  const wanted = new Set(after.map((entry) => entry.id))
  const candidates = before.filter((entry) => !wanted.has(entry.id))
  const read: InventoryObject[] = []
  for (const entry of candidates) {
    const object = await readEntry(context.kube, entry)
    if (object !== undefined && !wanted.has(idOf(object))) read.push(object)
  }
  return read
}

const MAX_CONFLICTS = 5

async function pruneOne(
  context: ApplyContext,
  task: Task,
  object: InventoryObject,
  uidsInUse: ReadonlySet<string>,
  pruned: Pruned,
): Promise<string | undefined> {
  // From here on the watches are to be silent about it.
  context.memory.drop(task.key, task.known, idOf(object))
  for (let attempt = 1; ; attempt += 1) {
    try {
      await deleteIfOurs(context, task, object, uidsInUse, pruned)
      return undefined
    } catch (error) {
      if (!(error instanceof KubeApiError)) throw error
      // It has changed since it was read: whose it is has to be looked at again.
      if (error.code === 409 && attempt < MAX_CONFLICTS) continue
      return `${describeRef(object.ref)} delete failed (${error.reason}): ${error.message}`
    }
  }
}

async function deleteIfOurs(
  context: ApplyContext,
  task: Task,
  object: InventoryObject,
  uidsInUse: ReadonlySet<string>,
  pruned: Pruned,
): Promise<void> {
  const live = await liveOf(context, task, object)
  if (live === undefined || !mayDelete(task, live, uidsInUse)) return
  if (live.metadata.deletionTimestamp !== undefined) {
    pruned.terminating.push(object)
    return
  }
  const { uid, resourceVersion } = live.metadata
  await context.kube.delete(gvkOfEntry(object), object.ref, {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    propagationPolicy: 'Background',
    signal: task.signal,
  })
  pruned.deleted.push(object)
}

/** The metadata of an object as it is now. */
export function liveOf(
  context: ApplyContext,
  task: Task,
  object: InventoryObject,
): Promise<KubeObject | undefined> {
  return context.kube.get(gvkOfEntry(object), object.ref, { metadataOnly: true, signal: task.signal })
}

function gvkOfEntry({ ref, version }: InventoryObject): GroupVersionKind {
  return { group: ref.group, version, kind: ref.kind }
}

export function mayDelete(task: Task, live: KubeObject, uidsInUse: ReadonlySet<string>): boolean {
  if (ownerKeyOf(live.metadata) !== task.key || isKept(live)) return false
  return !uidsInUse.has(live.metadata.uid ?? '')
}

function inReverseOrder(objects: readonly InventoryObject[]): InventoryObject[][] {
  const ranks = Map.groupBy(objects, (object) => rankOf(object.ref.kind))
  return [...ranks].sort(([a], [b]) => b - a).map(([, wave]) => wave)
}
