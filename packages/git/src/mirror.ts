import fs from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import git from 'isomorphic-git'
import { withoutCredentials } from './address.ts'
import { GitError, type GitErrorCode } from './errors.ts'
import type { Advertisement } from './fetch/advertisement.ts'
import { type Extent, fetchInto } from './fetch/fetch-into.ts'
import type { CommitInfo, FetchOptions, FetchResult, GitMirror, TreeEntry } from './mirror-types.ts'
import { ObjectStore } from './pack/object-store.ts'
import { removeUnfinished } from './pack/store-pack.ts'
import { readBlob, readCommit, readTree } from './read-objects.ts'
import type { RemoteOptions } from './remote-options.ts'
import type { Resolved } from './resolve-reference.ts'
import { translateReadError, translateRemoteError } from './translate-error.ts'
import { DEFAULT_TREE_LIMITS, type TreeLimits, TreeReader } from './tree-reader.ts'

/** The last commit that is wholly here: offered to the server, so that it sends only what is new. */
const LAST_REF = 'refs/setpoint/last'
/** Every incremental fetch adds a pack; with this many, the next fetch starts a new copy. */
const MAX_PACKS = 200
/** What a server says that does not have any more what it had just now. */
const MOVED_CODES: ReadonlySet<GitErrorCode> = new Set([
  'RefNotFound',
  'Refused',
  'ServerError',
  'ProtocolError',
])
/** Says that the directory was set up to its end, and for which repository. */
const MARKER = 'setpoint-mirror.json'

export interface MirrorOptions {
  /** The repository that it mirrors; a copy of another one found in the directory is thrown away. */
  url: string
  /** Packs before a new copy is started. Default 200. */
  maxPacks?: number
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
    await removeUnfinished(dir)
  } catch (cause) {
    throw translateReadError(cause, 'the directory cannot be prepared')
  }
  return mirror
}

class DiskMirror implements GitMirror {
  readonly dir: string
  readonly nextDir: string
  private readonly url: string
  private readonly maxPacks: number
  private readonly objects: ObjectStore
  private readonly treeLimits: TreeLimits
  private trees: TreeReader

  constructor(dir: string, options: MirrorOptions) {
    this.dir = dir
    this.nextDir = `${dir}.next`
    this.objects = new ObjectStore(dir)
    this.url = withoutCredentials(options.url)
    this.maxPacks = options.maxPacks ?? MAX_PACKS
    this.treeLimits = { ...DEFAULT_TREE_LIMITS, ...options.trees }
    this.trees = this.newTreeReader()
  }

  async isUsable(): Promise<boolean> {
    try {
      const marker: unknown = JSON.parse(await readFile(join(this.dir, MARKER), 'utf8'))
      return typeof marker === 'object' && marker !== null && 'url' in marker && marker.url === this.url
    } catch {
      return false
    }
  }

  async fetch(remote: RemoteOptions, resolved: Resolved, options: FetchOptions = {}): Promise<FetchResult> {
    if (options.advertisement === undefined) return this.fetchOnce(remote, resolved, options)
    try {
      return await this.fetchOnce(remote, resolved, options)
    } catch (error) {
      // The references may have moved since.
      if (!(error instanceof GitError) || !MOVED_CODES.has(error.code)) throw error
      return this.fetchOnce(remote, resolved, { ...options, advertisement: undefined })
    }
  }

  private async fetchOnce(
    remote: RemoteOptions,
    resolved: Resolved,
    options: FetchOptions,
  ): Promise<FetchResult> {
    const { advertisement } = options
    const full = options.fullHistory === true || !(await this.canFetchIncrementally())
    if (!full) return this.download(this.dir, remote, resolved, { extent: 'new', advertisement })
    try {
      await this.initialize(this.nextDir)
      const extent = options.fullHistory === true ? 'history' : 'shallow'
      const result = await this.download(this.nextDir, remote, resolved, { extent, advertisement })
      await this.replace()
      return result
    } catch (cause) {
      await rm(this.nextDir, { recursive: true, force: true })
      throw translateRemoteError(cause, remote.url)
    }
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
    await rm(this.dir, { recursive: true, force: true })
    await this.initialize(this.dir)
    this.forget()
  }

  async packCount(): Promise<number> {
    const files = await readdir(join(this.dir, 'objects', 'pack')).catch(() => [])
    return files.filter((file) => file.endsWith('.pack')).length
  }

  private async canFetchIncrementally(): Promise<boolean> {
    if ((await this.packCount()) >= this.maxPacks) return false
    const last = await this.lastCommit(this.dir)
    return last !== undefined && (await this.has(last))
  }

  private async download(
    gitdir: string,
    remote: RemoteOptions,
    resolved: Resolved,
    { extent, advertisement }: { extent: Extent; advertisement: Advertisement | undefined },
  ): Promise<FetchResult> {
    try {
      const last = await this.lastCommit(gitdir)
      const { fetched, receivedBytes } = await fetchInto(gitdir, remote, resolved, {
        extent,
        advertisement,
        last,
      })
      const commit = await this.keep(gitdir, fetched)
      return { commit, receivedBytes, full: extent !== 'new' }
    } catch (cause) {
      throw translateRemoteError(cause, remote.url)
    }
  }

  /** Notes a commit as the last one, once its objects are proven to be here. */
  private async keep(gitdir: string, fetched: string): Promise<string> {
    const { oid } = await readCommit(new ObjectStore(gitdir), fetched)
    await git.writeRef({ fs, gitdir, ref: LAST_REF, value: oid, force: true })
    return oid
  }

  private async lastCommit(gitdir: string): Promise<string | undefined> {
    try {
      return await git.resolveRef({ fs, gitdir, ref: LAST_REF })
    } catch {
      return undefined
    }
  }

  private async initialize(gitdir: string): Promise<void> {
    await rm(gitdir, { recursive: true, force: true })
    await mkdir(gitdir, { recursive: true })
    await git.init({ fs, gitdir, bare: true })
    await writeFile(join(gitdir, MARKER), JSON.stringify({ url: this.url }))
  }

  /** The new copy takes the place of the old one. A crash in between leaves none, and the next fetch is a full one. */
  private async replace(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true })
    await rename(this.nextDir, this.dir)
    this.forget()
  }

  private forget(): void {
    this.objects.release()
    this.trees = this.newTreeReader()
  }

  private newTreeReader(): TreeReader {
    return new TreeReader((oid) => readTree(this.objects, oid), this.treeLimits)
  }
}
