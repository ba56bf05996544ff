import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { withoutCredentials } from './address.ts'
import { displayUrl, GitError, isNotGiven } from './errors.ts'
import type { Advertisement } from './fetch/advertisement.ts'
import { type Fetched, type FetchIntoOptions, fetchInto, fetchObjects } from './fetch/fetch-into.ts'
import { initialize, readLastCommit, readMarker, writeLastCommit, writeMarker } from './mirror-directory.ts'
import type {
  CommitInfo,
  FetchOptions,
  FetchResult,
  GitMirror,
  TreeChanges,
  TreeEntry,
} from './mirror-types.ts'
import { ObjectStore } from './pack/object-store.ts'
import { removeUnfinished } from './pack/store-pack.ts'
import { readBlob, readCommit, readTree } from './read-objects.ts'
import type { RemoteOptions } from './remote-options.ts'
import type { Resolved } from './resolve-reference.ts'
import { translateReadError, translateRemoteError } from './translate-error.ts'
import { DEFAULT_TREE_LIMITS, type TreeLimits, TreeReader } from './tree-reader.ts'

/** Every incremental fetch adds a pack; with this many, the next fetch starts a new copy. */
const MAX_PACKS = 200

export interface MirrorOptions {
  /** The repository that it mirrors; a copy of another one found in the directory is thrown away. */
  url: string
  /** Packs before a new copy is started. Default 200. */
  maxPacks?: number
  /** A new copy is made without files, where the server can do that; `fetchBlobs` gets those that are needed. */
  withoutBlobs?: boolean
  /** Bounds on the trees that are read. */
  trees?: Partial<TreeLimits>
}

/**
 * Opens the copy in a directory, or makes an empty one. What is no usable copy is deleted.
 * @throws GitError when the directory cannot be written.
 */
export async function openMirror(dir: string, options: MirrorOptions): Promise<GitMirror> {
  const mirror = new DiskMirror(dir, options)
  try {
    if (!(await mirror.isUsable())) await mirror.reset()
    await rm(mirror.nextDir, { recursive: true, force: true })
    await removeUnfinished(mirror.objects)
  } catch (cause) {
    throw translateReadError(cause, 'the directory cannot be prepared')
  }
  return mirror
}

type DownloadOptions = Omit<FetchIntoOptions, 'last'>

class DiskMirror implements GitMirror {
  readonly dir: string
  readonly nextDir: string
  private readonly url: string
  private readonly maxPacks: number
  private withoutBlobs: boolean
  readonly objects: ObjectStore
  private readonly treeLimits: TreeLimits
  private trees: TreeReader

  constructor(dir: string, options: MirrorOptions) {
    this.dir = dir
    this.nextDir = `${dir}.next`
    this.objects = new ObjectStore(dir)
    this.url = withoutCredentials(options.url)
    this.maxPacks = options.maxPacks ?? MAX_PACKS
    this.withoutBlobs = options.withoutBlobs ?? false
    this.treeLimits = { ...DEFAULT_TREE_LIMITS, ...options.trees }
    this.trees = this.newTreeReader()
  }

  async isUsable(): Promise<boolean> {
    return (await readMarker(this.dir))?.url === this.url
  }

  async fetch(remote: RemoteOptions, resolved: Resolved, options: FetchOptions = {}): Promise<FetchResult> {
    if (options.advertisement === undefined) return this.fetchOnce(remote, resolved, options)
    try {
      return await this.fetchOnce(remote, resolved, options)
    } catch (error) {
      // The references may have moved since.
      if (!isNotGiven(error)) throw error
      return this.fetchOnce(remote, resolved, { ...options, advertisement: undefined })
    }
  }

  private async fetchOnce(
    remote: RemoteOptions,
    resolved: Resolved,
    options: FetchOptions,
  ): Promise<FetchResult> {
    const { advertisement, fullHistory = false } = options
    if (fullHistory || !(await this.canFetchIncrementally()))
      return this.fetchCopy(remote, resolved, {
        extent: fullHistory ? 'history' : 'shallow',
        advertisement,
        withoutBlobs: this.withoutBlobs,
      })
    return this.fetchMore(remote, resolved, advertisement)
  }

  /** Another reference may have parted from the last commit long ago: nobody needs what happened since then. */
  private async fetchMore(
    remote: RemoteOptions,
    resolved: Resolved,
    advertisement: Advertisement | undefined,
  ): Promise<FetchResult> {
    const { dir, url } = this
    const { refName } = resolved
    const marker = await readMarker(dir)
    const withoutBlobs = marker?.withoutBlobs === true
    const extent = refName !== undefined && refName === marker?.refName ? 'new' : 'shallow'
    const options = { extent, advertisement, withoutBlobs } as const
    const { commit, receivedBytes } = await this.download(this.objects, remote, resolved, options)
    await writeMarker(dir, { url, withoutBlobs, refName })
    return { commit, receivedBytes, full: false }
  }

  /** A new copy takes the place of the old one. A crash in between leaves none, and the next fetch is a full one. */
  private async fetchCopy(
    remote: RemoteOptions,
    resolved: Resolved,
    options: DownloadOptions,
  ): Promise<FetchResult> {
    const { dir, nextDir, url } = this
    try {
      await initialize(nextDir)
      const { commit, receivedBytes, isWithoutBlobs } = await this.download(
        new ObjectStore(nextDir),
        remote,
        resolved,
        options,
      )
      await writeMarker(nextDir, { url, withoutBlobs: isWithoutBlobs, refName: resolved.refName })
      await rm(dir, { recursive: true, force: true })
      await rename(nextDir, dir)
      this.forget()
      return { commit, receivedBytes, full: true }
    } catch (cause) {
      await rm(nextDir, { recursive: true, force: true })
      const error = translateRemoteError(cause, remote.url)
      // A server may know filters and not allow this one.
      if (error.code !== 'Refused' || !options.withoutBlobs) throw error
      return this.fetchCopy(remote, resolved, { ...options, withoutBlobs: false })
    }
  }

  async fetchBlobs(
    remote: RemoteOptions,
    oids: Iterable<string>,
    advertisement?: Advertisement,
  ): Promise<number> {
    if (!(await this.isWithoutBlobs())) return 0
    try {
      const missing = await this.objects.missing(new Set(oids))
      if (missing.length === 0) return 0
      const receivedBytes = await fetchObjects(this.objects, remote, missing, advertisement)
      if ((await this.objects.missing(missing)).length === 0) return receivedBytes
      throw new GitError('Refused', `${displayUrl(remote.url)} does not send all of them`)
    } catch (cause) {
      const error = translateRemoteError(cause, remote.url)
      if (error.code !== 'Refused') throw error
      this.withoutBlobs = false
      throw new GitError('Damaged', `the copy on disk is without files, and ${error.message}`)
    }
  }

  private async isWithoutBlobs(): Promise<boolean> {
    return (await readMarker(this.dir))?.withoutBlobs === true
  }

  async has(commit: string): Promise<boolean> {
    try {
      await this.readCommit(commit)
      return true
    } catch {
      return false
    }
  }

  async readCommit(commit: string): Promise<CommitInfo> {
    try {
      return await readCommit(this.objects, commit)
    } catch (cause) {
      throw translateReadError(cause, `commit ${commit}`)
    }
  }

  async readTree(commit: string): Promise<TreeEntry[]> {
    const { tree } = await this.readCommit(commit)
    try {
      return await this.trees.read(tree)
    } catch (cause) {
      throw translateReadError(cause, `the tree of commit ${commit}`)
    }
  }

  async readChanges(from: string, to: string): Promise<TreeChanges> {
    const [before, after] = [await this.readCommit(from), await this.readCommit(to)]
    try {
      return await this.trees.changes(before.tree, after.tree)
    } catch (cause) {
      throw translateReadError(cause, `the change from commit ${from} to ${to}`)
    }
  }

  async readBlob(oid: string): Promise<Uint8Array> {
    try {
      return await readBlob(this.objects, oid)
    } catch (cause) {
      throw translateReadError(cause, `blob ${oid}`)
    }
  }

  async readSignable(oid: string): Promise<Uint8Array | undefined> {
    try {
      return (await this.objects.find(oid))?.data
    } catch (cause) {
      throw translateReadError(cause, `object ${oid}`)
    }
  }

  release(): void {
    this.objects.release()
  }

  async reset(): Promise<void> {
    await initialize(this.dir)
    await writeMarker(this.dir, { url: this.url, withoutBlobs: false })
    this.forget()
  }

  async packCount(): Promise<number> {
    const files = await readdir(join(this.dir, 'objects', 'pack')).catch(() => [])
    return files.filter((file) => file.endsWith('.pack')).length
  }

  private async canFetchIncrementally(): Promise<boolean> {
    if ((await this.packCount()) >= this.maxPacks) return false
    const last = await readLastCommit(this.dir)
    return last !== undefined && (await this.has(last))
  }

  private async download(
    objects: ObjectStore,
    remote: RemoteOptions,
    resolved: Resolved,
    options: DownloadOptions,
  ): Promise<Omit<Fetched, 'oid'> & { commit: string }> {
    try {
      const last = await readLastCommit(objects.gitdir)
      const { oid, ...fetched } = await fetchInto(objects, remote, resolved, { ...options, last })
      return { ...fetched, commit: await writeLastCommit(objects, oid) }
    } catch (cause) {
      throw translateRemoteError(cause, remote.url)
    }
  }

  private forget(): void {
    this.objects.forget()
    this.trees = this.newTreeReader()
  }

  private newTreeReader(): TreeReader {
    return new TreeReader((oid) => readTree(this.objects, oid), this.treeLimits)
  }
}
