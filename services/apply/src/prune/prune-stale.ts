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
import { NotYet } from '../not-yet.ts'
import { deletesObjects } from '../spec.ts'
import { claimsOn } from './claims.ts'
import { liveOf, mayDelete, NOTHING_PRUNED, type Pruned, prune, staleObjects } from './prune.ts'

/**
 * For how long a prune waits for other Kustomizations to say whether an object is theirs now. Their builds take moments; when
 * the render service was killed, or NATS has lost everything, as long as that takes to mend.
 */
const HAND_OVER_WAIT_MS = 5 * 60_000
const HAND_OVER_POLL_MS = { min: 250, max: 5_000 }
const MAX_NAMED = 5

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

/** A short wait, in which no worker is held: the others are being built right now. */
function awaitUnsure(context: ApplyContext, task: Task, unsure: readonly string[]): void {
  if (!mustWaitFor(context, task, unsure)) return
  const names = `${unsure.slice(0, MAX_NAMED).join(', ')}${unsure.length > MAX_NAMED ? ', …' : ''}`
  throw new NotYet(
    `waiting for other Kustomizations to be built before anything is pruned, for an object may be theirs by now: ${names}`,
    { retryAfterMs: handOverPollMs(context, task) },
  )
}

/** When to look again: soon at first. */
export function handOverPollMs(context: ApplyContext, { known }: Task): number {
  const waited = context.now() - (known.handOverSince ?? context.now())
  return Math.min(Math.max(waited / 2, HAND_OVER_POLL_MS.min), HAND_OVER_POLL_MS.max)
}

/** True while others may be about to say that an object is theirs, for a bounded time. */
export function mustWaitFor(context: ApplyContext, { known }: Task, unsure: readonly string[]): boolean {
  known.handOverSince ??= context.now()
  const waited = context.now() - known.handOverSince
  if (unsure.length > 0 && waited >= 0 && waited < HAND_OVER_WAIT_MS) return true
  known.handOverSince = undefined
  return false
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
