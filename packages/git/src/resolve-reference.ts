import { GitError } from './errors.ts'
import type { Advertisement } from './fetch/advertisement.ts'
import type { RemoteRefs } from './list-remote.ts'
import { parseRange, type SemverTag, tagsInRange } from './semver-tags.ts'

/** Which commit is wanted; the fields of GitRepository.spec.ref. */
export interface ReferenceSelector {
  branch?: string | undefined
  tag?: string | undefined
  semver?: string | undefined
  name?: string | undefined
  commit?: string | undefined
}

/** The reference to fetch and how a commit found there is written as a revision. */
export interface Resolved {
  /** What the server said, when that was just now. */
  advertisement?: Advertisement | undefined
  /** Full name of the reference to fetch; undefined: fetch the commit itself. */
  refName?: string
  /** The commit, as far as the server's listing tells. */
  commit: string
  /** The tag object, of an annotated tag. */
  tagObject?: string
  /** Flux's revision for a commit: `main@sha1:<hex>`, `sha1:<hex>` or `refs/...@sha1:<hex>`. */
  revisionOf(commit: string): string
  /** Tags of the same semantic version (they differ in build metadata): the one with the youngest commit is meant. */
  candidates?: SemverTag[]
}

const DEFAULT_BRANCH = 'master'

/**
 * Flux's precedence: commit, name, tag, semver, branch (default `master`).
 * @throws GitError RefNotFound, EmptyRepository or InvalidReference.
 */
export function resolveReference(remote: RemoteRefs, wanted: ReferenceSelector = {}): Resolved {
  if (isGiven(wanted.commit)) return resolveCommit(remote, wanted.commit, wanted.branch)
  if (remote.refs.size === 0) throw new GitError('EmptyRepository', 'the repository has no commits yet')
  if (isGiven(wanted.name)) return resolveName(remote, wanted.name)
  if (isGiven(wanted.tag)) return resolveTag(remote, wanted.tag)
  if (isGiven(wanted.semver)) return resolveSemver(remote, wanted.semver)
  return resolveBranch(remote, isGiven(wanted.branch) ? wanted.branch : DEFAULT_BRANCH)
}

function resolveCommit(remote: RemoteRefs, commit: string, branch: string | undefined): Resolved {
  if (!/^[0-9a-f]{40}$/.test(commit))
    throw new GitError('InvalidReference', `commit "${commit}" is not a full hash of 40 hex digits`)
  if (remote.refs.size === 0) throw new GitError('EmptyRepository', 'the repository has no commits yet')
  if (!isGiven(branch)) return { commit, revisionOf: (oid) => `sha1:${oid}` }
  // The branch must exist, for Flux looks for the commit on it.
  commitOf(remote, `refs/heads/${branch}`, `branch "${branch}"`)
  return { refName: `refs/heads/${branch}`, commit, revisionOf: (oid) => `${branch}@sha1:${oid}` }
}

function resolveName(remote: RemoteRefs, name: string): Resolved {
  const commit = commitOf(remote, name, `reference "${name}"`)
  return { refName: name, commit, ...tagObjectOf(remote, name), revisionOf: (oid) => `${name}@sha1:${oid}` }
}

function resolveTag(remote: RemoteRefs, tag: string): Resolved {
  const refName = `refs/tags/${tag}`
  const commit = commitOf(remote, refName, `tag "${tag}"`)
  return { refName, commit, ...tagObjectOf(remote, refName), revisionOf: (oid) => `${tag}@sha1:${oid}` }
}

function resolveSemver(remote: RemoteRefs, range: string): Resolved {
  if (parseRange(range) === undefined)
    throw new GitError('InvalidReference', `semver "${range}" is not a range of semantic versions`)
  const [best, ...ties] = tagsInRange(remote, range)
  if (best === undefined)
    throw new GitError('RefNotFound', `no tag of the repository is within the semver range "${range}"`)
  return {
    refName: best.refName,
    commit: best.commit,
    ...tagObjectOf(remote, best.refName),
    revisionOf: (oid) => `${best.tag}@sha1:${oid}`,
    ...(ties.length > 0 ? { candidates: [best, ...ties] } : {}),
  }
}

function resolveBranch(remote: RemoteRefs, branch: string): Resolved {
  const refName = `refs/heads/${branch}`
  const commit = commitOf(remote, refName, `branch "${branch}"`)
  return { refName, commit, revisionOf: (oid) => `${branch}@sha1:${oid}` }
}

function commitOf(remote: RemoteRefs, refName: string, what: string): string {
  const found = remote.refs.get(refName)
  if (found === undefined) throw new GitError('RefNotFound', `the repository has no ${what}`)
  return found.peeled ?? found.oid
}

function tagObjectOf(remote: RemoteRefs, refName: string): { tagObject?: string } {
  const found = remote.refs.get(refName)
  return found?.peeled === undefined ? {} : { tagObject: found.oid }
}

const isGiven = (value: string | undefined): value is string => value !== undefined && value !== ''
