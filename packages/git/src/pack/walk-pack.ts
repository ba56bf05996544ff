import { crc32 } from 'node:zlib'
import { readDeltaHeader } from './delta.ts'
import { type EntryHeader, MAX_ENTRY_HEADER_BYTES, PACK_HEADER_BYTES, readEntryHeader } from './entry.ts'
import { objectHash } from './git-object.ts'
import { inflatePieces } from './inflate.ts'
import { checkObjectSize, checkRatio, DamagedPack, type PackLimits, tooLarge } from './limits.ts'
import type { PackFile } from './pack-file.ts'
import { PackTable } from './pack-table.ts'
import type { Turns } from './turns.ts'

/** A pack after the first walk: the objects that are whole have their names, the deltas await theirs. */
export interface Walked {
  table: PackTable
  /** Deltas that name their base by its hash, by that hash in hex. */
  waiting: Map<string, number[]>
}

/**
 * Walks a pack from its start to its end, one object in memory at a time: nothing is unpacked beyond the bounds, no
 * matter what the pack says of itself.
 * @throws DamagedPack, GitError TooLarge
 */
export async function walkPack(
  file: PackFile,
  count: number,
  limits: PackLimits,
  turns: Turns,
): Promise<Walked> {
  const walk = new PackWalk(file, limits)
  for (let index = 0; index < count; index += 1) {
    if (turns.isOver) await turns.next()
    await walk.object()
  }
  if (walk.at !== file.end) throw new DamagedPack('it has other bytes than it says')
  return walk
}

class PackWalk implements Walked {
  readonly table = new PackTable()
  readonly waiting = new Map<string, number[]>()
  at = PACK_HEADER_BYTES
  private readonly file: PackFile
  private readonly limits: PackLimits
  private unpacked = 0

  constructor(file: PackFile, limits: PackLimits) {
    this.file = file
    this.limits = limits
  }

  async object(): Promise<void> {
    const start = this.at
    const header = readEntryHeader(await this.file.from(start, MAX_ENTRY_HEADER_BYTES))
    checkObjectSize(header.size, this.limits)
    const index = this.table.add(start)
    this.noteBase(index, header)
    const packed = start + header.length
    this.at = await (header.type === undefined ? this.delta(header) : this.whole(index, header.type, header))
    checkRatio(header.size, this.at - packed, this.limits)
    let checksum = 0
    for await (const piece of this.file.pieces(start, this.at)) checksum = crc32(piece, checksum)
    this.table.setChecksum(index, checksum)
  }

  private noteBase(index: number, { baseDistance, baseOid }: EntryHeader): void {
    if (baseOid !== undefined) {
      this.table.setBase(index, undefined)
      const oid = baseOid.toString('hex')
      const others = this.waiting.get(oid)
      if (others === undefined) this.waiting.set(oid, [index])
      else others.push(index)
    }
    if (baseDistance === undefined) return
    const base = this.table.indexAt(this.at - baseDistance)
    if (base === undefined || base === index)
      throw new DamagedPack('a delta names a base that is not before it')
    this.table.setBase(index, base)
  }

  private async whole(
    index: number,
    type: NonNullable<EntryHeader['type']>,
    { size, length }: EntryHeader,
  ): Promise<number> {
    this.count(size)
    const hash = objectHash(type, size)
    const end = await inflatePieces(this.file, this.at + length, size, (piece) => hash.update(piece))
    this.table.setOid(index, hash.digest())
    return end
  }

  /** Of a delta, only what it says to make is looked at here. */
  private async delta({ size, length }: EntryHeader): Promise<number> {
    this.count(size)
    let start: Buffer | undefined
    const end = await inflatePieces(this.file, this.at + length, size, (piece) => {
      start ??= piece
    })
    this.count(readDeltaHeader(start ?? Buffer.alloc(0)).resultSize)
    return end
  }

  private count(bytes: number): void {
    checkObjectSize(bytes, this.limits)
    this.unpacked += bytes
    if (this.unpacked > this.limits.maxUnpackedBytes)
      throw tooLarge(`unpacked, it has more than the limit of ${this.limits.maxUnpackedBytes} bytes`)
  }
}
