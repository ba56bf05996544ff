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

interface Pack {
  index: PackIndex
  reader: PackReader
}

/**
 * The objects of a repository, which are all in packs: nothing else is ever written here. Indexes are held in memory
 * until they are released; of the packs only what was read last. A pack that is new is noticed when an object is missed.
 */
export class ObjectStore {
  private readonly directory: string
  private held = nothing()

  constructor(gitdir: string) {
    this.directory = join(gitdir, 'objects', 'pack')
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

  /** Drops what is held in memory; the next read loads it again. */
  release(): void {
    this.held = nothing()
  }

  private locate(id: Buffer): { reader: PackReader; offset: number } | undefined {
    for (const { index, reader } of this.held.packs.values()) {
      const offset = index.find(id)
      if (offset !== undefined) return { reader, offset }
    }
    return undefined
  }

  /** Loads the packs that are not loaded. Whoever asks meanwhile waits for the same. True when there were any. */
  private lookForPacks(): Promise<boolean> {
    const { held } = this
    held.looking ??= this.loadPacks(held).finally(() => {
      held.looking = undefined
    })
    return held.looking
  }

  private async loadPacks({ packs, windows, bases }: Held): Promise<boolean> {
    const files = await readdir(this.directory)
    const names = files.filter((file) => file.endsWith('.idx')).map((file) => file.slice(0, -4))
    const added = names.filter((name) => !packs.has(name))
    for (const name of added) {
      const path = join(this.directory, `${name}.pack`)
      const index = new PackIndex(await readFile(join(this.directory, `${name}.idx`)))
      const file = new PackFile(path, (await stat(path)).size - HASH_BYTES, windows)
      packs.set(name, { index, reader: new PackReader(file, index, bases) })
    }
    return added.length > 0
  }
}

/** What is in memory. */
interface Held {
  packs: Map<string, Pack>
  windows: Windows
  bases: ByteCache<string, GitObject>
  looking: Promise<boolean> | undefined
}

const nothing = (): Held => ({
  packs: new Map(),
  windows: new Windows(),
  bases: new ByteCache(MAX_BASE_BYTES),
  looking: undefined,
})
