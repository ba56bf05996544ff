import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ByteCache } from './byte-cache.ts'
import { HASH_BYTES } from './entry.ts'
import { type GitObject, objectId } from './git-object.ts'
import { DamagedPack } from './limits.ts'
import { PackFile, Windows } from './pack-file.ts'
import { PackIndex } from './pack-index.ts'
import { PackReader } from './pack-reader.ts'

/** Bytes of objects that others may be deltas of. */
const MAX_BASE_BYTES = 16 * 1024 * 1024

/** Indexes up to this size stay in memory; those of later fetches are a tenth of it. */
const MAX_KEPT_INDEX_BYTES = 16 * 1024

interface Pack {
  index: PackIndex
  reader: PackReader
}

/**
 * The objects of a repository, which are all in packs: nothing else is ever written here. Of the packs, only what was read
 * last is held in memory, and their indexes. A pack that is new is noticed when an object is missed.
 */
export class ObjectStore {
  readonly gitdir: string
  private readonly packs = new Map<string, Pack>()
  private readonly windows = new Windows()
  private readonly bases = new ByteCache<string, GitObject>(MAX_BASE_BYTES)
  private looking: Promise<boolean> | undefined

  constructor(gitdir: string) {
    this.gitdir = gitdir
  }

  /** Where the packs are. */
  get directory(): string {
    return join(this.gitdir, 'objects', 'pack')
  }

  /** Reads an object. @throws DamagedPack when it is not here, or not what its name says */
  async read(oid: string): Promise<GitObject> {
    const object = await this.find(oid)
    if (object === undefined) throw new DamagedPack(`there is no object ${oid}`)
    return object
  }

  /** Reads an object; undefined when it is not here. @throws DamagedPack */
  async find(oid: string): Promise<GitObject | undefined> {
    const id = Buffer.from(oid, 'hex')
    if (id.length !== HASH_BYTES) return undefined
    const found = this.locate(id) ?? ((await this.lookForPacks()) ? this.locate(id) : undefined)
    if (found === undefined) return undefined
    const object = await found.reader.read(found.offset)
    if (!objectId(object.type, object.data).equals(id))
      throw new DamagedPack(`what is stored as ${oid} is something else`)
    return object
  }

  /** Those of some objects that are not here. */
  async missing(oids: Iterable<string>): Promise<string[]> {
    await this.lookForPacks()
    return [...oids].filter((oid) => this.locate(Buffer.from(oid, 'hex')) === undefined)
  }

  /** Drops what takes memory; the next read loads it again. */
  release(): void {
    this.windows.clear()
    this.bases.clear()
    for (const [name, { index }] of this.packs) if (index.size > MAX_KEPT_INDEX_BYTES) this.packs.delete(name)
  }

  /** The packs are others now. */
  forget(): void {
    this.packs.clear()
    this.release()
  }

  private locate(id: Buffer): { reader: PackReader; offset: number } | undefined {
    for (const { index, reader } of this.packs.values()) {
      const offset = index.find(id)
      if (offset !== undefined) return { reader, offset }
    }
    return undefined
  }

  /** Loads the packs that are not loaded. Whoever asks meanwhile waits for the same. True when there were any. */
  private lookForPacks(): Promise<boolean> {
    this.looking ??= this.loadPacks().finally(() => {
      this.looking = undefined
    })
    return this.looking
  }

  private async loadPacks(): Promise<boolean> {
    const files = await readdir(this.directory)
    const names = files.filter((file) => file.endsWith('.idx')).map((file) => file.slice(0, -4))
    const added = names.filter((name) => !this.packs.has(name))
    await Promise.all(added.map(async (name) => this.packs.set(name, await this.load(name))))
    return added.length > 0
  }

  private async load(name: string): Promise<Pack> {
    const path = join(this.directory, `${name}.pack`)
    const [index, { size }] = await Promise.all([readFile(join(this.directory, `${name}.idx`)), stat(path)])
    const file = new PackFile(path, size - HASH_BYTES, this.windows)
    const pack = new PackIndex(index)
    return { index: pack, reader: new PackReader(file, pack, this.bases) }
  }
}
