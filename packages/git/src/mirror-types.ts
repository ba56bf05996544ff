import type { Advertisement } from './fetch/advertisement.ts'
import type { RemoteOptions } from './remote-options.ts'
import type { Resolved } from './resolve-reference.ts'

/** One file of a commit. Mode 120000 is a symlink, 160000 a submodule (its oid is a commit of another repository). */
export interface TreeEntry {
  /** POSIX, relative to the root, without a leading slash. */
  path: string
  oid: string
  mode: '100644' | '100755' | '120000' | '160000'
}

/** What differs between two commits. */
export interface TreeChanges {
  /** Files that are new or other; submodules are none. */
  entries: TreeEntry[]
  /** Paths of files that are not there any more. */
  removed: string[]
}

export interface FetchOptions {
  /** Take the whole history, not only the newest commit; needed to find a commit that no reference points to. */
  fullHistory?: boolean
  /** What listRemote heard just now: the server is not asked again. */
  advertisement?: Advertisement | undefined
}

export interface FetchResult {
  /** The commit that was fetched; newer than the one resolved when the reference moved in between. */
  commit: string
  /** Bytes that came over the network. */
  receivedBytes: number
  /** True when everything was downloaded; false when only what was new. */
  full: boolean
}

export interface CommitInfo {
  oid: string
  tree: string
  parents: string[]
  /** Committer time, ms since the epoch. */
  time: number
  message: string
  author: string
}

/**
 * Our copy of one remote repository: a bare object database on disk, no working tree.
 * One caller at a time. Every method throws GitError; after code `Damaged`, call `reset` and fetch again.
 */
export interface GitMirror {
  readonly dir: string
  /** Fetches a reference: without its history the first time, then only what is new. */
  fetch(remote: RemoteOptions, resolved: Resolved, options?: FetchOptions): Promise<FetchResult>
  /** True when the commit and its root tree are here. */
  has(commit: string): Promise<boolean>
  readCommit(commit: string): Promise<CommitInfo>
  /** Every file of a commit, sorted by path. Directories unchanged since the last call are not read again. */
  readTree(commit: string): Promise<TreeEntry[]>
  /** What differs between two commits that are here. Costs what has changed, not what is there. */
  readChanges(from: string, to: string): Promise<TreeChanges>
  readBlob(oid: string): Promise<Uint8Array>
  /**
   * Fetches those of some files that are not here, where the copy is without files. Returns the bytes received.
   * @throws GitError Damaged when the server gives no single files; after `reset` all of them are fetched
   */
  fetchBlobs(remote: RemoteOptions, oids: Iterable<string>, advertisement?: Advertisement): Promise<number>
  /** The bytes of a commit or an annotated tag, as they were signed. undefined when it is not here. */
  readSignable(oid: string): Promise<Uint8Array | undefined>
  /** Drops what is held in memory; the next read loads it again. */
  release(): void
  /** Deletes the copy: the next fetch starts from nothing. */
  reset(): Promise<void>
  /** How many packs the copy consists of. */
  packCount(): Promise<number>
}
