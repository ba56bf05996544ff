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
  private readonly count: number
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

  /** In bytes. */
  get size(): number {
    return this.bytes.length
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
  const { count } = table
  const checksumsAt = NAMES_AT + count * HASH_BYTES
  const offsetsAt = checksumsAt + count * 4
  const large: number[] = []
  const bytes = Buffer.alloc(offsetsAt + count * 4)
  MAGIC.copy(bytes)
  let at = 0
  for (const [first, indices] of byFirstByte(table).entries()) {
    if (turns.isOver) await turns.next()
    for (const index of indices.sort((a, b) => Buffer.compare(table.oid(a), table.oid(b)))) {
      const offset = table.offset(index)
      table.oid(index).copy(bytes, NAMES_AT + at * HASH_BYTES)
      bytes.writeUInt32BE(table.checksum(index), checksumsAt + at * 4)
      bytes.writeUInt32BE(offset < LARGE_OFFSET ? offset : LARGE_OFFSET + large.length, offsetsAt + at * 4)
      if (offset >= LARGE_OFFSET) large.push(offset)
      at += 1
    }
    bytes.writeUInt32BE(at, MAGIC.length + first * 4)
  }
  const body = Buffer.concat([bytes, ...large.map(uint64), packHash])
  return Buffer.concat([body, createHash('sha1').update(body).digest()])
}

/** The objects by the first byte of their names. */
function byFirstByte(table: PackTable): number[][] {
  const indices: number[][] = Array.from({ length: 256 }, () => [])
  for (let index = 0; index < table.count; index += 1) indices[table.oid(index)[0] ?? 0]?.push(index)
  return indices
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
