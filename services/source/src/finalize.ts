import { FINALIZER, SOURCE_FIELD_MANAGER } from '@setpoint/contracts'
import { KubeApiError } from '@setpoint/kube'
import type { Result } from '@setpoint/reconcile'
import { archiveDirectory } from './archive/archive-path.ts'
import type { SourceContext, Task } from './context.ts'
import { publishGone } from './publish.ts'

/** Removes what belongs to an object that is being deleted, then lets it go. A suspended one too. */
export async function finalize(context: SourceContext, task: Task): Promise<Result> {
  const { metadata } = task.object
  const { finalizers = [], resourceVersion } = metadata
  if (!finalizers.includes(FINALIZER)) return undefined
  await publishGone(context, task)
  // Whoever asks for the archive now must not have it made again.
  task.known.state = undefined
  await context.archives.remove(archiveDirectory(task.object))
  await context.states.remove(task.known.uid)
  const left = finalizers.filter((finalizer) => finalizer !== FINALIZER)
  try {
    const patch = { metadata: { resourceVersion, finalizers: left } }
    const options = { fieldManager: SOURCE_FIELD_MANAGER }
    await context.kube.mergePatch(context.kind.gvk, metadata, patch, options)
  } catch (error) {
    if (!(error instanceof KubeApiError) || error.code !== 404) throw error
  }
  task.log.info({}, 'removed the artifact of a deleted source')
  return undefined
}
