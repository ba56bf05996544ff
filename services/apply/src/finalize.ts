import { FINALIZER, KUSTOMIZATION, KUSTOMIZATION_FIELD_MANAGER } from '@setpoint/contracts'
import { KubeApiError } from '@setpoint/kube'
import { describeRef } from '@setpoint/manifest'
import { ReconcileError, type Result } from '@setpoint/reconcile'
import type { ApplyContext, Task } from './context.ts'
import { idOf, inventoryOf, readEntry } from './inventory.ts'
import { claimsOn } from './prune/claims.ts'
import { handOverPollMs, mustWaitFor } from './prune/hand-over.ts'
import { type Pruned, prune } from './prune/prune.ts'
import { patienceOf, readLive, settle } from './settle.ts'
import { deletesObjects, retryIntervalMs, timeoutMs } from './spec.ts'
import { failed } from './status/settlement.ts'
import { changesetOf, record, tellFailure } from './tell.ts'

const TERMINATION_POLL_MS = 500
const MAX_LISTED = 20

/** Holds our finalizer from before the first apply, so that no object outlives its Kustomization unless that is wanted. */
export async function addFinalizer(context: ApplyContext, task: Task): Promise<void> {
  const finalizers = task.kustomization.metadata.finalizers ?? []
  if (!finalizers.includes(FINALIZER)) await writeFinalizers(context, task, (held) => [...held, FINALIZER])
}

/** A Kustomization is being deleted: deletes what it has applied, as its deletionPolicy says, and lets it go. */
export async function finalize(context: ApplyContext, task: Task): Promise<Result> {
  if (!(task.kustomization.metadata.finalizers ?? []).includes(FINALIZER)) return undefined
  context.driftWatches.release(task.key)
  context.healthWatches.release(task.key)
  const there = deletesObjects(task.kustomization) ? await enterToDelete(context, task) : undefined
  if (there !== undefined) {
    const pruned = await deleteAll(there, task)
    if (pruned === undefined) return { requeueAfterMs: handOverPollMs(context, task), priority: 'normal' }
    if (pruned.failed.length > 0) return reportFailure(context, task, pruned)
    const left = pruned.deleted.length + pruned.terminating.length
    if (task.kustomization.spec.deletionPolicy === 'WaitForTermination' && left > 0)
      return awaitTermination(context, task, pruned)
  }
  await writeFinalizers(context, task, (held) => held.filter((finalizer) => finalizer !== FINALIZER))
  context.clusters.release(task.key)
  context.memory.forget(task.key)
  return undefined
}

/** Where to delete; undefined, as in Flux, when the account that applied the objects is gone: they are left behind, and told. */
async function enterToDelete(context: ApplyContext, task: Task): Promise<ApplyContext | undefined> {
  const there = await context.clusters.enter(context, task)
  if (await context.clusters.accountIsThere(task)) return there
  const left = inventoryOf(task.kustomization).map(({ id }) => id)
  const message = `the service account to delete as is gone; left behind: ${left.slice(0, MAX_LISTED).join(', ')}${left.length > MAX_LISTED ? ` and ${left.length - MAX_LISTED} more` : ''}`
  record(context, task, { severity: 'error', reason: 'PruneFailed', message })
  return undefined
}

/** Undefined while it is not sure yet which objects another Kustomization declares by now. */
async function deleteAll(context: ApplyContext, task: Task): Promise<Pruned | undefined> {
  const read = await Promise.all(
    inventoryOf(task.kustomization).map((entry) => readEntry(context.kube, entry)),
  )
  const objects = read.filter((object) => object !== undefined)
  const claims = await claimsOn(context, task, objects.map(idOf))
  if (mustWaitFor(context, task, claims.unsure)) return undefined
  const free = objects.filter((object) => !claims.byId.has(idOf(object)))
  const pruned = await prune(context, task, free)
  const message = changesetOf([], pruned)
  if (message !== '') record(context, task, { severity: 'info', reason: 'ReconciliationSucceeded', message })
  return pruned
}

async function reportFailure(context: ApplyContext, task: Task, pruned: Pruned): Promise<Result> {
  const message = pruned.failed.map(({ problem }) => problem).join('\n')
  await settle(context, task, failed('PruneFailed', message, ''))
  tellFailure(context, task, { reason: 'PruneFailed', message })
  return { requeueAfterMs: retryIntervalMs(task.kustomization) }
}

async function awaitTermination(context: ApplyContext, task: Task, pruned: Pruned): Promise<Result> {
  const deadline =
    Date.parse(task.kustomization.metadata.deletionTimestamp ?? '') + timeoutMs(task.kustomization)
  if (context.now() < deadline) return { requeueAfterMs: TERMINATION_POLL_MS, priority: 'normal' }
  const names = [...pruned.deleted, ...pruned.terminating].map(({ ref }) => describeRef(ref))
  const message = `timeout waiting for termination of: [${names.join(', ')}]; look at their finalizers`
  await settle(context, task, failed('PruneFailed', message, ''))
  tellFailure(context, task, { reason: 'PruneFailed', message })
  return { requeueAfterMs: retryIntervalMs(task.kustomization), priority: 'normal' }
}

const MAX_CONFLICTS = 5

/** The list is replaced as a whole, so the patch holds the resource version: nobody else's finalizer is lost. */
async function writeFinalizers(
  context: ApplyContext,
  task: Task,
  change: (held: string[]) => string[],
): Promise<void> {
  for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
    const { metadata } = task.kustomization
    const finalizers = change(metadata.finalizers ?? [])
    try {
      const written = await context.home.mergePatch(
        KUSTOMIZATION,
        metadata,
        { metadata: { resourceVersion: metadata.resourceVersion, finalizers } },
        { fieldManager: KUSTOMIZATION_FIELD_MANAGER, ...patienceOf(task) },
      )
      task.kustomization = context.kustomizations.wrote(written)
      return
    } catch (error) {
      if (!(error instanceof KubeApiError) || (error.code !== 409 && error.code !== 404)) throw error
      task.kustomization = await readLive(context, task)
    }
  }
  throw new ReconcileError('ReconciliationFailed', `the finalizers of ${task.key} keep changing`, {
    retryAfterMs: 1_000,
  })
}
