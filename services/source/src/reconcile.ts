import {
  FINALIZER,
  GIT_REPOSITORY,
  notImplementedFields,
  REASON_NOT_IMPLEMENTED,
  SOURCE_FIELD_MANAGER,
} from '@setpoint/contracts'
import { type Result, Stalled } from '@setpoint/reconcile'
import { assureArchive } from './archive.ts'
import type { SourceContext, Task } from './context.ts'
import { fetchTree, isNews, resolveTarget } from './fetch.ts'
import { finalize } from './finalize.ts'
import { assurePublished, publishTree, recallState } from './publish.ts'
import { readRecipe } from './recipe.ts'
import { readRemote } from './remote.ts'
import { settleFailure, settleReady, settleSuspended } from './settle.ts'

/** One run: from what the repository holds now to a published artifact and a true status. */
export async function reconcile(context: SourceContext, task: Task): Promise<Result> {
  if (task.repository.metadata.deletionTimestamp !== undefined) return finalize(context, task)
  await ensureFinalizer(context, task)
  if (task.repository.spec.suspend === true) return settleSuspended(context, task)
  try {
    refuseNotImplemented(task)
    const remote = await readRemote(context, task)
    await recallState(context, task)
    const recipe = await readRecipe(context, task)
    const target = await resolveTarget(context, task, remote)
    if (isNews(task, target, recipe))
      await publishTree(context, task, await fetchTree(context, task, remote, target, recipe))
    else await assurePublished(context, task)
    await assureArchive(context, task)
    return await settleReady(context, task)
  } catch (error) {
    return settleFailure(context, task, error)
  }
}

/** Written before anything is stored, so that a deletion is never missed. */
async function ensureFinalizer(context: SourceContext, task: Task): Promise<void> {
  const { metadata } = task.repository
  const { finalizers = [], resourceVersion } = metadata
  if (finalizers.includes(FINALIZER)) return
  const patch = { metadata: { resourceVersion, finalizers: [...finalizers, FINALIZER] } }
  const written = await context.kube.mergePatch(GIT_REPOSITORY, metadata, patch, {
    fieldManager: SOURCE_FIELD_MANAGER,
  })
  task.repository = context.repositories.wrote(written)
}

function refuseNotImplemented(task: Task): void {
  const fields = notImplementedFields(task.repository)
  if (fields.length === 0) return
  const verb = fields.length === 1 ? 'is' : 'are'
  throw new Stalled(REASON_NOT_IMPLEMENTED, `${fields.join(', ')} ${verb} not implemented yet`)
}
