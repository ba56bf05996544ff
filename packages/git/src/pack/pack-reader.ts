import type { ByteCache } from './byte-cache.ts'
import { applyDelta } from './delta.ts'
import { type EntryHeader, MAX_ENTRY_HEADER_BYTES, readEntryHeader } from './entry.ts'
import type { GitObject } from './git-object.ts'
import { inflate } from './inflate.ts'
import { DamagedPack } from './limits.ts'
import type { PackFile } from './pack-file.ts'
import type { PackIndex } from './pack-index.ts'

/** No chain is longer, but one that bites its tail. */
const MAX_CHAIN = 100_000

interface Entry extends EntryHeader {
  offset: number
}

/** Reads objects of one pack. */
export class PackReader {
  private readonly file: PackFile
  private readonly index: PackIndex
  private readonly bases: ByteCache<string, GitObject>

  constructor(file: PackFile, index: PackIndex, bases: ByteCache<string, GitObject>) {
    this.file = file
    this.index = index
    this.bases = bases
  }

  /** The object at an offset. @throws DamagedPack */
  async read(offset: number): Promise<GitObject> {
    const deltas: Entry[] = []
    for (let at = offset; ; ) {
      const known = this.bases.get(this.keyOf(at))
      if (known !== undefined) return this.apply(deltas, known)
      const entry = await this.entryAt(at)
      const { type } = entry
      if (type !== undefined) return this.apply(deltas, { type, data: await this.dataOf(entry) })
      if (deltas.length === MAX_CHAIN) throw new DamagedPack('a chain of deltas has no end')
      deltas.push(entry)
      at = this.baseOf(entry)
    }
  }

  /** Makes an object of its base. deltas: the last one first. */
  private async apply(deltas: readonly Entry[], whole: GitObject): Promise<GitObject> {
    let object = whole
    for (const delta of deltas.toReversed()) {
      this.bases.set(this.keyOf(this.baseOf(delta)), object)
      object = { type: whole.type, data: applyDelta(object.data, await this.dataOf(delta)) }
    }
    const [last] = deltas
    if (last !== undefined) this.bases.set(this.keyOf(last.offset), object)
    return object
  }

  private async entryAt(offset: number): Promise<Entry> {
    return { offset, ...readEntryHeader(await this.file.from(offset, MAX_ENTRY_HEADER_BYTES)) }
  }

  private dataOf({ offset, length, size }: Entry): Promise<Buffer> {
    return inflate(this.file, offset + length, size)
  }

  private baseOf({ offset, baseDistance, baseOid }: Entry): number {
    if (baseDistance !== undefined) return offset - baseDistance
    const base = baseOid && this.index.find(baseOid)
    if (base === undefined) throw new DamagedPack('a delta names a base that is not in its pack')
    return base
  }

  private keyOf(offset: number): string {
    return `${this.file.path}:${offset}`
  }
}
