import { createHash } from 'node:crypto'
import { HASH_BYTES } from './entry.ts'
import { DamagedPack } from './limits.ts'
import type { PackTable } from './pack-table.ts'
import type { Turns } from './turns.ts'

/** What starts an index of version 2. */
const MAGIC = Buffer.from('\xfftOc\0\0\0\x02', 'latin1')
const FANOUT_BYTES = 256 * 4
const NAMES_AT = MAGIC.length + FANOUT_BYTES
/** Offsets from here on stand in a table of their own. */
const LARGE_OFFSET = 0x80000000

/** The index of a pack: where in it an object is, by its hash. */
export class PackIndex {
  readonly count: number
  private readonly bytes: Buffer

  /** bytes: of an .idx file of version 2. @throws DamagedPack */
  constructor(bytes: Buffer) {
    const end = bytes.length - HASH_BYTES
    const isIndex = bytes.length >= NAMES_AT + 2 * HASH_BYTES && bytes.subarray(0, MAGIC.length).equals(MAGIC)
    if (!isIndex) throw new DamagedPack('the index is none')
    const hash = createHash('sha1').update(bytes.subarray(0, end)).digest()
    if (!hash.equals(bytes.subarray(end))) throw new DamagedPack('the hash of the index is wrong')
    this.bytes = bytes
    this.count = this.countUpTo(255)
  }

  /** The offset of an object. oid: its 20 bytes. */
  find(oid: Buffer): number | undefined {
    const first = oid[0] ?? 0
    let low = first === 0 ? 0 : this.countUpTo(first - 1)
    let high = this.countUpTo(first)
    while (low < high) {
      const middle = (low + high) >>> 1
      const at = NAMES_AT + middle * HASH_BYTES
      const order = this.bytes.compare(oid, 0, HASH_BYTES, at, at + HASH_BYTES)
      if (order === 0) return this.offset(middle)
      if (order < 0) low = middle + 1
      else high = middle
    }
    return undefined
  }

  private offset(index: number): number {
    const offsetsAt = NAMES_AT + this.count * (HASH_BYTES + 4)
    const offset = this.bytes.readUInt32BE(offsetsAt + index * 4)
    if (offset < LARGE_OFFSET) return offset
    const largeAt = offsetsAt + this.count * 4
    return Number(this.bytes.readBigUInt64BE(largeAt + (offset - LARGE_OFFSET) * 8))
  }

  private countUpTo(firstByte: number): number {
    return this.bytes.readUInt32BE(MAGIC.length + firstByte * 4)
  }
}

/** The index of a pack, as Git writes it. packHash: what the pack ends with. */
export async function encodeIndex(table: PackTable, packHash: Buffer, turns: Turns): Promise<Buffer> {
  const { order, fanout } = await sorted(table, turns)
  const large = order.filter((index) => table.offset(index) >= LARGE_OFFSET)
  const { count } = table
  const bytes = Buffer.alloc(NAMES_AT + count * (HASH_BYTES + 8) + large.length * 8 + 2 * HASH_BYTES)
  MAGIC.copy(bytes)
  fanout.forEach((upTo, byte) => {
    bytes.writeUInt32BE(upTo, MAGIC.length + byte * 4)
  })
  const checksumsAt = NAMES_AT + count * HASH_BYTES
  const offsetsAt = checksumsAt + count * 4
  let largeSeen = 0
  order.forEach((index, at) => {
    table.oid(index).copy(bytes, NAMES_AT + at * HASH_BYTES)
    bytes.writeUInt32BE(table.checksum(index), checksumsAt + at * 4)
    const offset = table.offset(index)
    bytes.writeUInt32BE(offset < LARGE_OFFSET ? offset : LARGE_OFFSET + largeSeen++, offsetsAt + at * 4)
  })
  const largeAt = offsetsAt + count * 4
  large.forEach((index, at) => {
    bytes.writeBigUInt64BE(BigInt(table.offset(index)), largeAt + at * 8)
  })
  packHash.copy(bytes, bytes.length - 2 * HASH_BYTES)
  const hash = createHash('sha1').update(bytes.subarray(0, -HASH_BYTES)).digest()
  hash.copy(bytes, bytes.length - HASH_BYTES)
  return bytes
}

/** The objects by their names, and how many have names that start with each byte or one below. */
async function sorted(table: PackTable, turns: Turns): Promise<{ order: Uint32Array; fanout: number[] }> {
  const byFirst: number[][] = Array.from({ length: 256 }, () => [])
  for (let index = 0; index < table.count; index += 1) byFirst[table.oid(index)[0] ?? 0]?.push(index)
  const order = new Uint32Array(table.count)
  const fanout: number[] = []
  let filled = 0
  for (const indices of byFirst) {
    if (turns.isOver) await turns.next()
    order.set(
      indices.sort((a, b) => Buffer.compare(table.oid(a), table.oid(b))),
      filled,
    )
    filled += indices.length
    fanout.push(filled)
  }
  return { order, fanout }
}
