import { parseInterval } from '@setpoint/contracts'
import {
  type CommitInfo,
  GitError,
  type GitMirror,
  openMirror,
  type RemoteOptions,
  type Resolved,
  resolveReference,
} from '@setpoint/git'
import { readListing } from '../listing.ts'
import { printable } from '../printable.ts'
import type { Fetched } from '../source-kind.ts'
import { digestOfUrl } from '../state.ts'
import { collectEntries, listChanges, sparseDirectories } from './entries.ts'
import type { GitContext, GitTask } from './git-context.ts'
import { surpriseOf } from './moved.ts'
import { download, fetchPinned } from './pinned.ts'
import type { Recipe } from './recipe.ts'
import { type VerificationResult, verifySource } from './verification.ts'

/** What a repository's reference stands for right now, as far as its list of references tells. */
export interface Target {
  resolved: Resolved
  /** Equal texts mean that nothing has moved. */
  key: string
}

/** A commit with its files. */
interface Commit {
  revision: string
  commit: CommitInfo
  target: Target
  recipe: Recipe
  verification: VerificationResult | undefined
}

const MAX_SUBJECT = 300

/** Asks the repository for its references; downloads nothing. @throws GitError */
export async function resolveTarget(
  context: GitContext,
  task: GitTask,
  remote: RemoteOptions,
): Promise<Target> {
  const { spec } = task.object
  // A poll may use what another GitRepository has just heard; who asks for a look gets one.
  const spareMs = task.isAsked ? 0 : parseInterval(spec.interval) / 2
  const notBefore = Math.max(task.startedAt - spareMs, task.takenAt)
  const refs = await context.listings.get(task.key, remote, notBefore)
  const resolved = { ...resolveReference(refs, spec.ref), advertisement: refs.advertisement }
  const tags = resolved.candidates?.map(({ tag, commit }) => `${tag}=${commit}`) ?? []
  return { resolved, key: [resolved.revisionOf(resolved.commit), ...tags].join(' ') }
}

/** True when the artifact that is known was made of something else. */
export function isNews(task: GitTask, target: Target, recipe: Recipe): boolean {
  const { state } = task.known
  const { url } = task.object.spec
  return (
    state === undefined ||
    state.urlDigest !== digestOfUrl(url) ||
    state.resolved !== target.key ||
    state.recipe !== recipe.digest
  )
}

/** Fetches what is new and lists the files. A copy on disk that is damaged is made anew. @throws GitError */
export async function fetchTree(
  context: GitContext,
  task: GitTask,
  remote: RemoteOptions,
  target: Target,
  recipe: Recipe,
): Promise<Fetched> {
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

async function mirrorOf(context: GitContext, task: GitTask): Promise<GitMirror> {
  const { known } = task
  const { url } = task.object.spec
  const isSparse = sparseDirectories(task.object.spec) !== undefined
  const open = context.mirrors.get(known)
  if (open?.url === url && open.isSparse === isSparse) return open.mirror
  const directory = context.states.mirrorDirectory(known.uid)
  const mirror = await openMirror(directory, { url, withoutBlobs: isSparse, trees: context.limits.trees })
  context.mirrors.set(known, { url, isSparse, mirror })
  return mirror
}

async function fetchAndList(
  context: GitContext,
  task: GitTask,
  mirror: GitMirror,
  remote: RemoteOptions,
  { target, recipe }: { target: Target; recipe: Recipe },
): Promise<Fetched> {
  const { oid, revision, resolved } = await fetchCommit(context, task, mirror, remote, target.resolved)
  const commit = await mirror.readCommit(oid)
  const fetchTag = () => download(context, task, mirror, remote, resolved)
  const verification =
    recipe.verification &&
    (await verifySource(context, recipe.verification, mirror, { resolved, commit: oid, fetchTag }))
  const surprise = await surpriseOf(task, mirror, revision, oid)
  const origin = { mirror, remote, resolved: target.resolved, commit: oid, recipe }
  const listing =
    (await listChanges(context, task, origin)) ??
    (await readListing(context, task, await collectEntries(context, task, origin)))
  return { state: toState(task, { revision, commit, target, recipe, verification }), listing, surprise }
}

interface Found {
  oid: string
  revision: string
  /** The reference that it was found by. */
  resolved: Resolved
}

async function fetchCommit(
  context: GitContext,
  task: GitTask,
  mirror: GitMirror,
  remote: RemoteOptions,
  resolved: Resolved,
): Promise<Found> {
  if (resolved.candidates !== undefined) return youngestOf(context, task, mirror, remote, resolved)
  const { commit, revisionOf } = resolved
  if (await mirror.has(commit)) return { oid: commit, revision: revisionOf(commit), resolved }
  if (task.object.spec.ref?.commit)
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
  context: GitContext,
  task: GitTask,
  mirror: GitMirror,
  remote: RemoteOptions,
  resolved: Resolved,
): Promise<Found> {
  let youngest: (Found & { time: number }) | undefined
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

function toState(
  task: GitTask,
  { revision, commit, target, recipe, verification }: Commit,
): Fetched['state'] {
  const { url, ignore = '' } = task.object.spec
  return {
    urlDigest: digestOfUrl(url),
    resolved: target.resolved.candidates === undefined ? movedKey(target, commit.oid) : target.key,
    revision,
    id: commit.oid,
    subject: printable(commit.message.split('\n')[0] ?? '', MAX_SUBJECT),
    ignore,
    recipe: recipe.digest,
    included: recipe.includes.map(({ artifact }) => artifact),
    ...(verification === undefined ? {} : { verification }),
  }
}

/** When the reference moved between the listing and the fetch, what was fetched counts. */
function movedKey({ key, resolved }: Target, fetched: string): string {
  return key.replace(resolved.commit, fetched)
}
