import { parseDuration } from '@setpoint/contracts'
import {
  type CommitInfo,
  GitError,
  type GitMirror,
  openMirror,
  type RemoteOptions,
  type Resolved,
  resolveReference,
} from '@setpoint/git'
import type { SourceContext, Task } from './context.ts'
import { collectEntries } from './entries.ts'
import { type Listing, readListing } from './listing.ts'
import { type Surprise, surpriseOf } from './moved.ts'
import { download, fetchPinned } from './pinned.ts'
import type { Recipe } from './recipe.ts'
import { digestOfUrl } from './state.ts'
import { type VerificationResult, verifySource } from './verification.ts'

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
  recipe: Recipe
  verification: VerificationResult | undefined
  surprise: Surprise | undefined
}

/** Asks the repository for its references; downloads nothing. @throws GitError */
export async function resolveTarget(
  context: SourceContext,
  task: Task,
  remote: RemoteOptions,
): Promise<Target> {
  const { spec } = task.repository
  // A poll may use what another GitRepository has just heard; who asks for a look gets one.
  const spareMs = task.isAsked ? 0 : parseDuration(spec.interval) / 2
  const refs = await context.listings.get(task.key, remote, task.startedAt - spareMs)
  const resolved = resolveReference(refs, spec.ref)
  const tags = resolved.candidates?.map(({ tag, commit }) => `${tag}=${commit}`) ?? []
  return { resolved, key: [resolved.revisionOf(resolved.commit), ...tags].join(' ') }
}

/** True when the artifact that is known was made of something else. */
export function isNews(task: Task, target: Target, recipe: Recipe): boolean {
  const { state } = task.known
  const { url } = task.repository.spec
  return (
    state === undefined ||
    state.urlDigest !== digestOfUrl(url) ||
    state.resolved !== target.key ||
    state.recipe !== recipe.digest
  )
}

/** Fetches what is new and lists the files. A copy on disk that is damaged is made anew. @throws GitError */
export async function fetchTree(
  context: SourceContext,
  task: Task,
  remote: RemoteOptions,
  target: Target,
  recipe: Recipe,
): Promise<FetchedTree> {
  const mirror = await mirrorOf(context, task)
  try {
    return await fetchAndList(context, task, mirror, remote, { target, recipe })
  } catch (error) {
    if (!(error instanceof GitError) || error.code !== 'Damaged') throw error
    task.log.warn({ reason: error.message }, 'the copy of the repository is damaged; fetching it anew')
    await mirror.reset()
    return fetchAndList(context, task, mirror, remote, { target, recipe })
  } finally {
    mirror.release()
  }
}

async function mirrorOf(context: SourceContext, task: Task): Promise<GitMirror> {
  const { known } = task
  const { url } = task.repository.spec
  if (known.mirror !== undefined && known.mirrorUrl === url) return known.mirror
  known.mirror = await openMirror(context.states.mirrorDirectory(known.uid), {
    url,
    trees: context.limits.trees,
  })
  known.mirrorUrl = url
  return known.mirror
}

async function fetchAndList(
  context: SourceContext,
  task: Task,
  mirror: GitMirror,
  remote: RemoteOptions,
  { target, recipe }: { target: Target; recipe: Recipe },
): Promise<FetchedTree> {
  const { oid, revision, resolved } = await fetchCommit(context, task, mirror, remote, target.resolved)
  const commit = await mirror.readCommit(oid)
  const fetchTag = () => download(context, task, mirror, remote, resolved)
  const verification =
    recipe.verification &&
    (await verifySource(context, recipe.verification, mirror, { resolved, commit: oid, fetchTag }))
  const surprise = await surpriseOf(task, mirror, revision, oid)
  const entries = await collectEntries(context, task, { mirror, remote, commit: oid, recipe })
  const listing = await readListing(context, task, entries)
  return { revision, commit, target, recipe, verification, surprise, listing }
}

interface Fetched {
  oid: string
  revision: string
  /** The reference that it was found by. */
  resolved: Resolved
}

async function fetchCommit(
  context: SourceContext,
  task: Task,
  mirror: GitMirror,
  remote: RemoteOptions,
  resolved: Resolved,
): Promise<Fetched> {
  if (resolved.candidates !== undefined) return youngestOf(context, task, mirror, remote, resolved)
  const { commit, revisionOf } = resolved
  if (await mirror.has(commit)) return { oid: commit, revision: revisionOf(commit), resolved }
  if (task.repository.spec.ref?.commit)
    return {
      oid: await fetchPinned(context, task, mirror, remote, resolved),
      revision: revisionOf(commit),
      resolved,
    }
  const oid = await download(context, task, mirror, remote, resolved)
  return { oid, revision: revisionOf(oid), resolved }
}

/** Tags of the same version: the one whose commit is the youngest. */
async function youngestOf(
  context: SourceContext,
  task: Task,
  mirror: GitMirror,
  remote: RemoteOptions,
  resolved: Resolved,
): Promise<Fetched> {
  let youngest: (Fetched & { time: number }) | undefined
  for (const { tag, refName, commit, tagObject } of resolved.candidates ?? []) {
    const single: Resolved = {
      refName,
      commit,
      ...(tagObject === undefined ? {} : { tagObject }),
      revisionOf: (oid) => `${tag}@sha1:${oid}`,
    }
    const oid = (await mirror.has(commit)) ? commit : await download(context, task, mirror, remote, single)
    const { time } = await mirror.readCommit(oid)
    if (youngest === undefined || time > youngest.time)
      youngest = { oid, revision: single.revisionOf(oid), resolved: single, time }
  }
  if (youngest === undefined) throw new GitError('RefNotFound', 'no tag is within the semver range')
  return youngest
}
