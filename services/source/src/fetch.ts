import {
  type CommitInfo,
  GitError,
  type GitMirror,
  listRemote,
  openMirror,
  type RemoteOptions,
  type Resolved,
  resolveReference,
} from '@setpoint/git'
import type { SourceContext, Task } from './context.ts'
import { type Listing, readListing } from './listing.ts'
import { digestOfUrl } from './state.ts'

/** What a repository's reference stands for right now, as far as its list of references tells. */
export interface Target {
  resolved: Resolved
  /** Equal texts mean that nothing has moved. */
  key: string
}

/** A commit with its files. */
export interface FetchedTree {
  revision: string
  commit: CommitInfo
  listing: Listing
  target: Target
}

/** Asks the repository for its references; downloads nothing. @throws GitError */
export async function resolveTarget(
  context: SourceContext,
  task: Task,
  remote: RemoteOptions,
): Promise<Target> {
  context.metrics.listed()
  const resolved = resolveReference(await listRemote(remote), task.repository.spec.ref)
  const tags = resolved.candidates?.map(({ tag, commit }) => `${tag}=${commit}`) ?? []
  return { resolved, key: [resolved.revisionOf(resolved.commit), ...tags].join(' ') }
}

/** True when the artifact that is known was made of something else. */
export function isNews(task: Task, target: Target): boolean {
  const { state } = task.known
  const { url, ignore = '' } = task.repository.spec
  return (
    state === undefined ||
    state.urlDigest !== digestOfUrl(url) ||
    state.resolved !== target.key ||
    state.ignore !== ignore
  )
}

/** Fetches what is new and lists the files. A copy on disk that is damaged is made anew. @throws GitError */
export async function fetchTree(
  context: SourceContext,
  task: Task,
  remote: RemoteOptions,
  target: Target,
): Promise<FetchedTree> {
  const mirror = await mirrorOf(context, task)
  try {
    return await fetchAndList(context, task, mirror, remote, target)
  } catch (error) {
    if (!(error instanceof GitError) || error.code !== 'Damaged') throw error
    task.log.warn({ reason: error.message }, 'the copy of the repository is damaged; fetching it anew')
    await mirror.reset()
    return fetchAndList(context, task, mirror, remote, target)
  } finally {
    mirror.release()
  }
}

async function mirrorOf(context: SourceContext, task: Task): Promise<GitMirror> {
  const { known } = task
  const { url } = task.repository.spec
  if (known.mirror !== undefined && known.mirrorUrl === url) return known.mirror
  known.mirror = await openMirror(context.states.mirrorDirectory(known.uid), { url })
  known.mirrorUrl = url
  return known.mirror
}

async function fetchAndList(
  context: SourceContext,
  task: Task,
  mirror: GitMirror,
  remote: RemoteOptions,
  target: Target,
): Promise<FetchedTree> {
  const { oid, revision } = await fetchCommit(context, task, mirror, remote, target.resolved)
  const commit = await mirror.readCommit(oid)
  return { revision, commit, target, listing: await readListing(context, task, mirror, oid) }
}

async function fetchCommit(
  context: SourceContext,
  task: Task,
  mirror: GitMirror,
  remote: RemoteOptions,
  resolved: Resolved,
): Promise<{ oid: string; revision: string }> {
  if (resolved.candidates !== undefined) return youngestOf(context, task, mirror, remote, resolved)
  const { commit, revisionOf } = resolved
  if (await mirror.has(commit)) return { oid: commit, revision: revisionOf(commit) }
  if (task.repository.spec.ref?.commit)
    return { oid: await pinned(context, task, mirror, remote, resolved), revision: revisionOf(commit) }
  const oid = await download(context, task, mirror, remote, resolved)
  return { oid, revision: revisionOf(oid) }
}

/** Tags of the same version: the one whose commit is the youngest. */
async function youngestOf(
  context: SourceContext,
  task: Task,
  mirror: GitMirror,
  remote: RemoteOptions,
  resolved: Resolved,
): Promise<{ oid: string; revision: string }> {
  let youngest: { oid: string; revision: string; time: number } | undefined
  for (const { tag, refName, commit } of resolved.candidates ?? []) {
    const single: Resolved = { refName, commit, revisionOf: (oid) => `${tag}@sha1:${oid}` }
    const oid = (await mirror.has(commit)) ? commit : await download(context, task, mirror, remote, single)
    const { time } = await mirror.readCommit(oid)
    if (youngest === undefined || time > youngest.time)
      youngest = { oid, revision: single.revisionOf(oid), time }
  }
  if (youngest === undefined) throw new GitError('RefNotFound', 'no tag is within the semver range')
  return youngest
}

/** A commit that need not be the tip of anything: asked for by its hash, and where the server refuses, by all history. */
async function pinned(
  context: SourceContext,
  task: Task,
  mirror: GitMirror,
  remote: RemoteOptions,
  resolved: Resolved,
): Promise<string> {
  const { commit, revisionOf } = resolved
  try {
    return await download(context, task, mirror, remote, { commit, revisionOf })
  } catch (error) {
    if (!(error instanceof GitError) || !['RefNotFound', 'ServerError', 'ProtocolError'].includes(error.code))
      throw error
  }
  await download(context, task, mirror, remote, resolved, true)
  if (await mirror.has(commit)) return commit
  const where = resolved.refName === undefined ? 'the repository' : `"${resolved.refName}"`
  throw new GitError('RefNotFound', `${where} has no commit ${commit}`)
}

async function download(
  context: SourceContext,
  task: Task,
  mirror: GitMirror,
  remote: RemoteOptions,
  resolved: Resolved,
  fullHistory = false,
): Promise<string> {
  const result = await mirror.fetch(remote, resolved, { fullHistory })
  context.metrics.fetched(result.full ? 'full' : 'new', result.receivedBytes)
  const { commit, receivedBytes, full } = result
  task.log.info({ commit, receivedBytes, full, traceId: task.traceId }, 'fetched')
  return commit
}
