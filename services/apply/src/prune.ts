import { KubeApiError } from '@setpoint/kube'
import { describeRef, type InventoryEntry, type KubeObject } from '@setpoint/manifest'
import type { ApplyContext, Task } from './context.ts'
import { type InventoryObject, idOf, readEntry } from './inventory.ts'
import { inParallel } from './parallel.ts'
import { rankOf } from './plan/order.ts'
import { isKept, ownerKeyOf } from './switches.ts'

/** What became of objects that left the set. */
export interface Pruned {
  deleted: InventoryObject[]
  /** Ours, deleted already, but not gone yet. */
  terminating: InventoryObject[]
  /** Not deleted, or not surely: they stay in the inventory. One line for each says why. */
  failed: { entry: InventoryEntry; problem: string }[]
}

/**
 * Deletes objects in reverse order of applying. Only those that are still labelled as this Kustomization's, with the uid
 * that was just read, are deleted; one that is gone, kept by a switch, or somebody else's now is left alone.
 * uidsInUse: objects that must survive whatever they are called, because they were just applied under another group.
 */
export async function prune(
  context: ApplyContext,
  task: Task,
  objects: readonly InventoryObject[],
  uidsInUse: ReadonlySet<string> = new Set(),
): Promise<Pruned> {
  const pruned: Pruned = { deleted: [], terminating: [], failed: [] }
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

async function pruneOne(
  context: ApplyContext,
  task: Task,
  object: InventoryObject,
  uidsInUse: ReadonlySet<string>,
  pruned: Pruned,
): Promise<string | undefined> {
  const gvk = { group: object.ref.group, version: object.version, kind: object.ref.kind }
  // From here on the watches are to be silent about it.
  context.memory.drop(task.key, task.known, idOf(object))
  try {
    const live = await context.kube.get(gvk, object.ref, { metadataOnly: true, signal: task.signal })
    if (live === undefined || !mayDelete(task, live, uidsInUse)) return undefined
    if (live.metadata.deletionTimestamp !== undefined) {
      pruned.terminating.push(object)
      return undefined
    }
    await deleteLive(context, task, object, live)
    pruned.deleted.push(object)
    return undefined
  } catch (error) {
    if (!(error instanceof KubeApiError)) throw error
    return `${describeRef(object.ref)} delete failed (${error.reason}): ${error.message}`
  }
}

async function deleteLive(
  context: ApplyContext,
  task: Task,
  { ref, version }: InventoryObject,
  live: KubeObject,
): Promise<void> {
  const { uid } = live.metadata
  await context.kube.delete({ group: ref.group, version, kind: ref.kind }, ref, {
    ...(uid === undefined ? {} : { uid }),
    propagationPolicy: 'Background',
    signal: task.signal,
  })
}

function mayDelete(task: Task, live: KubeObject, uidsInUse: ReadonlySet<string>): boolean {
  if (ownerKeyOf(live.metadata) !== task.key || isKept(live)) return false
  return !uidsInUse.has(live.metadata.uid ?? '')
}

function inReverseOrder(objects: readonly InventoryObject[]): InventoryObject[][] {
  const ranks = Map.groupBy(objects, (object) => rankOf(object.ref.kind))
  return [...ranks].sort(([a], [b]) => b - a).map(([, wave]) => wave)
}
