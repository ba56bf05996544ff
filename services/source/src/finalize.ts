import { FINALIZER, GIT_REPOSITORY, SOURCE_FIELD_MANAGER } from '@setpoint/contracts'
import { KubeApiError } from '@setpoint/kube'
import type { Result } from '@setpoint/reconcile'
import { archiveDirectory } from './archive-path.ts'
import type { SourceContext, Task } from './context.ts'
import { publishGone, recallState } from './publish.ts'

/** Removes what belongs to a repository that is being deleted, then lets it go. A suspended one too. */
export async function finalize(context: SourceContext, task: Task): Promise<Result> {
  const { metadata } = task.repository
  const { finalizers = [], resourceVersion } = metadata
  if (!finalizers.includes(FINALIZER)) return undefined
  await recallState(context, task)
  await publishGone(context, task)
  await context.archives.remove(archiveDirectory(task.repository))
  await context.states.remove(task.known.uid)
  const left = finalizers.filter((finalizer) => finalizer !== FINALIZER)
  try {
    const patch = { metadata: { resourceVersion, finalizers: left } }
    await context.kube.mergePatch(GIT_REPOSITORY, metadata, patch, { fieldManager: SOURCE_FIELD_MANAGER })
  } catch (error) {
    if (!(error instanceof KubeApiError) || error.code !== 404) throw error
  }
  task.log.info({}, 'removed the artifact of a deleted repository')
  return undefined
}
