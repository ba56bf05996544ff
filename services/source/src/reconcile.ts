import {
  FINALIZER,
  notImplementedFields,
  REASON_NOT_IMPLEMENTED,
  SOURCE_FIELD_MANAGER,
} from '@setpoint/contracts'
import { type Result, Stalled } from '@setpoint/reconcile'
import { assureArchive } from './archive/archive.ts'
import type { SourceContext, Task } from './context.ts'
import { finalize } from './finalize.ts'
import { assurePublished, publishTree } from './publish.ts'
import { settleFailure, settleReady, settleSuspended } from './settle.ts'
import { BaseLost } from './storage/base-lost.ts'
import { forgetBase, recall } from './storage/recall.ts'
import { assureRecord } from './storage/records.ts'

/** One run: from what the origin holds now to a published artifact and a true status. */
export async function reconcile(context: SourceContext, task: Task): Promise<Result> {
  if (task.object.metadata.deletionTimestamp !== undefined) return finalize(context, task)
  await ensureFinalizer(context, task)
  if (task.object.spec.suspend === true) return settleSuspended(context, task)
  try {
    refuseNotImplemented(task)
    await recall(context, task)
    const fetched = await context.kind.look(context, task)
    if (fetched !== undefined) await publishTree(context, task, fetched)
    else await assurePublished(context, task)
    await assureArchive(context, task, fetched?.archive)
    await assureRecord(context, task)
    return await settleReady(context, task)
  } catch (error) {
    if (error instanceof BaseLost) forgetBase(task.known)
    return settleFailure(context, task, error)
  }
}

/** Written before anything is stored, so that a deletion is never missed. */
async function ensureFinalizer({ kube, kind, objects }: SourceContext, task: Task): Promise<void> {
  const { metadata } = task.object
  const { finalizers = [], resourceVersion } = metadata
  if (finalizers.includes(FINALIZER)) return
  const patch = { metadata: { resourceVersion, finalizers: [...finalizers, FINALIZER] } }
  const options = { fieldManager: SOURCE_FIELD_MANAGER }
  task.object = objects.wrote(await kube.mergePatch(kind.gvk, metadata, patch, options))
}

function refuseNotImplemented(task: Task): void {
  const fields = notImplementedFields(task.object)
  if (fields.length === 0) return
  const verb = fields.length === 1 ? 'is' : 'are'
  throw new Stalled(REASON_NOT_IMPLEMENTED, `${fields.join(', ')} ${verb} not implemented yet`)
}
