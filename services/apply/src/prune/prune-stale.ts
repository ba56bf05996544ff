import { createHash } from 'node:crypto'
import { KUSTOMIZATION, type PruneCandidate, pruneBlockedMessage, pruneProblem } from '@setpoint/contracts'
import {
  describeRef,
  type InventoryEntry,
  inventoryId,
  type KubeObject,
  type ObjectRef,
} from '@setpoint/manifest'
import { entryOf } from '../apply/target.ts'
import type { Change } from '../apply/write-target.ts'
import type { ApplyContext, Task } from '../context.ts'
import { type InventoryObject, idOf, inventoryOf, readEntry } from '../inventory.ts'
import { deletesObjects } from '../spec.ts'
import { claimsOn } from './claims.ts'
import { awaitUnsure } from './hand-over.ts'
import { liveOf, mayDelete, NOTHING_PRUNED, type Pruned, prune, staleObjects } from './prune.ts'

/**
 * Deletes what has left the set. Only ever after a whole set was applied. What another Kustomization declares now is handed
 * over to it; what is more than the budget, or than anybody should lose by accident, waits for an approval.
 */
export async function pruneStale(
  context: ApplyContext,
  task: Task,
  changes: readonly Change[],
): Promise<Pruned> {
  const { known, kustomization } = task
  known.pruneBlocked = undefined
  const before = inventoryOf(kustomization)
  const stale = await staleObjects(
    context,
    before,
    changes.map(({ target }) => entryOf(target)),
  )
  for (const object of stale) context.memory.drop(task.key, known, idOf(object))
  if (!kustomization.spec.prune || stale.length === 0) return NOTHING_PRUNED
  const claims = await claimsOn(context, task, stale.map(idOf))
  awaitUnsure(context, task, claims.unsure)
  const free = stale.filter((object) => !claims.byId.has(idOf(object)))
  // An object may have been applied under another group just now: it must survive whatever it was called.
  const uidsInUse = new Set([...known.objects.values()].map(({ uid }) => uid))
  const going = await goingObjects(context, task, free, uidsInUse)
  const problem = await guard(context, task, { going, before, emptied: changes.length === 0 })
  if (problem !== undefined) return { ...NOTHING_PRUNED, kept: free.map(({ entry }) => entry) }
  return prune(context, task, free, uidsInUse)
}

interface Going {
  object: InventoryObject
  live: KubeObject
}

/** What a prune would really delete: there, ours, and not going already. */
async function goingObjects(
  context: ApplyContext,
  task: Task,
  objects: readonly InventoryObject[],
  uidsInUse: ReadonlySet<string>,
): Promise<Going[]> {
  const going: Going[] = []
  for (const object of objects) {
    const live = await liveOf(context, task, object)
    if (live?.metadata.deletionTimestamp === undefined && live && mayDelete(task, live, uidsInUse))
      going.push({ object, live })
  }
  return going
}

/** The problem that stops a prune, noted for the condition; undefined when it may go on. */
async function guard(
  context: ApplyContext,
  task: Task,
  { going, before, emptied }: { going: Going[]; before: readonly InventoryEntry[]; emptied: boolean },
): Promise<string | undefined> {
  const { known, wishes, kustomization } = task
  const candidates: PruneCandidate[] = []
  for (const { object } of going) candidates.push(await candidateOf(context, task, object.ref))
  const step = {
    candidates,
    inventorySize: before.length,
    emptied,
    firstSync: kustomization.status?.lastAppliedRevision === undefined,
    budget: wishes.pruneBudget,
  }
  const problem = pruneProblem(step)
  const token = tokenOf(going)
  if (problem === undefined || token === wishes.approvedPrune) return undefined
  known.pruneBlocked = pruneBlockedMessage(step, problem, token)
  return problem
}

async function candidateOf(context: ApplyContext, task: Task, ref: ObjectRef): Promise<PruneCandidate> {
  const carries = await carriedBy(context, task, ref)
  return {
    name: describeRef(ref),
    group: ref.group,
    kind: ref.kind,
    carries: carries.map((carried) => ({
      name: describeRef(carried),
      group: carried.group,
      kind: carried.kind,
    })),
  }
}

/** A Kustomization takes along what it has applied, but for what another one declares by now. */
async function carriedBy(context: ApplyContext, task: Task, ref: ObjectRef): Promise<ObjectRef[]> {
  if (ref.kind !== KUSTOMIZATION.kind || ref.group !== KUSTOMIZATION.group) return []
  const key = `${ref.namespace}/${ref.name}`
  const child = context.kustomizations.get(key)
  if (child === undefined || !deletesObjects(child)) return []
  const read: ObjectRef[] = []
  for (const entry of inventoryOf(child)) {
    const object = await readEntry(context.kube, entry)
    if (object !== undefined) read.push(object.ref)
  }
  const claims = await claimsOn(context, { ...task, key, kustomization: child }, read.map(inventoryId))
  awaitUnsure(context, task, claims.unsure)
  return read.filter((object) => !claims.byId.has(inventoryId(object)))
}

/** Names exactly this list: the same objects made anew need another approval. */
function tokenOf(going: readonly Going[]): string {
  const lines = going.map(({ object, live }) => `${idOf(object)} ${live.metadata.uid}`).sort()
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16)
}
