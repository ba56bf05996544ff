import {
  GitError,
  type GitMirror,
  isNotGiven,
  type RemoteOptions,
  type Resolved,
  type TreeEntry,
} from '@setpoint/git'
import type { GitContext, GitTask } from './git-context.ts'

/** A commit that need not be the tip of anything: asked for by its hash, and where the server refuses, by all history. */
export async function fetchPinned(
  context: GitContext,
  task: GitTask,
  mirror: GitMirror,
  remote: RemoteOptions,
  resolved: Resolved,
): Promise<string> {
  const { commit, revisionOf } = resolved
  try {
    return await download(context, task, mirror, remote, { commit, revisionOf })
  } catch (error) {
    if (!isNotGiven(error)) throw error
  }
  await download(context, task, mirror, remote, resolved, true)
  if (await mirror.has(commit)) return commit
  const where = resolved.refName === undefined ? 'the repository' : `"${resolved.refName}"`
  throw new GitError('RefNotFound', `${where} has no commit ${commit}`)
}

export async function download(
  context: GitContext,
  task: GitTask,
  mirror: GitMirror,
  remote: RemoteOptions,
  resolved: Resolved,
  fullHistory = false,
): Promise<string> {
  const { advertisement } = resolved
  const result = await mirror.fetch(remote, resolved, { fullHistory, advertisement })
  context.metrics.fetched(result.full ? 'full' : 'new', result.receivedBytes)
  const { commit, receivedBytes, full } = result
  task.log.info({ commit, receivedBytes, full, traceId: task.traceId }, 'fetched')
  return commit
}

/** Of a copy that is without files, those that are needed and not here. */
export async function downloadFiles(
  context: GitContext,
  task: GitTask,
  mirror: GitMirror,
  remote: RemoteOptions,
  { advertisement }: Resolved,
  files: readonly TreeEntry[],
): Promise<void> {
  const oids = files.filter(({ mode }) => mode !== '160000').map(({ oid }) => oid)
  const receivedBytes = await mirror.fetchBlobs(remote, oids, advertisement)
  if (receivedBytes === 0) return
  context.metrics.fetched('new', receivedBytes)
  task.log.info({ receivedBytes, traceId: task.traceId }, 'fetched files')
}
