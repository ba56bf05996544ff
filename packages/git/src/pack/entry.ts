import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import type { ObjectType } from './git-object.ts'
import { DamagedPack } from './limits.ts'

const compress = promisify(deflate)

/** What stands before the data of an object in a pack. */
export interface EntryHeader {
  /** undefined for a delta. */
  type: ObjectType | undefined
  /** Of the data when it is inflated: for a delta, of the delta. */
  size: number
  /** Bytes of the header itself. */
  length: number
  /** How far before this one the base of a delta is. */
  baseDistance?: number
  /** What the base of a delta is. */
  baseOid?: Buffer
}

export const PACK_HEADER_BYTES = 12
export const HASH_BYTES = 20
/** No header of an object is longer. */
export const MAX_ENTRY_HEADER_BYTES = 32

/** Numbers of the types, as packs have them. */
export const TYPE_NUMBERS = { commit: 1, tree: 2, blob: 3, tag: 4 } as const
const TYPES: readonly (ObjectType | undefined)[] = [undefined, 'commit', 'tree', 'blob', 'tag']
const OFS_DELTA = 6
const REF_DELTA = 7
/** A number of more bytes than this is no size that could be had. */
const MAX_NUMBER_BYTES = 7

/** How many objects a pack says to have. @throws DamagedPack */
export function readPackHeader(bytes: Buffer): number {
  const isPack = bytes.toString('latin1', 0, 4) === 'PACK'
  if (!isPack || bytes.length < PACK_HEADER_BYTES) throw new DamagedPack('it does not start like one')
  const version = bytes.readUInt32BE(4)
  if (version !== 2 && version !== 3) throw new DamagedPack(`it has the unknown version ${version}`)
  return bytes.readUInt32BE(8)
}

/** Reads the header that starts the bytes. @throws DamagedPack */
export function readEntryHeader(bytes: Buffer): EntryHeader {
  let at = 0
  const next = () => {
    const byte = bytes[at]
    if (byte === undefined) throw new DamagedPack('it ends too early')
    at += 1
    return byte
  }
  let byte = next()
  const kind = (byte >> 4) & 7
  let size = byte & 15
  for (let factor = 16; byte & 0x80; factor *= 128) {
    if (at > MAX_NUMBER_BYTES) throw new DamagedPack('an object says to be larger than anything')
    byte = next()
    size += (byte & 0x7f) * factor
  }
  if (kind === OFS_DELTA) {
    const baseDistance = readDistance(next)
    return { type: undefined, size, length: at, baseDistance }
  }
  if (kind === REF_DELTA) {
    const end = at + HASH_BYTES
    if (end > bytes.length) throw new DamagedPack('it ends too early')
    return { type: undefined, size, length: end, baseOid: bytes.subarray(at, end) }
  }
  const type = TYPES[kind]
  if (type === undefined) throw new DamagedPack(`it has an object of the unknown type ${kind}`)
  return { type, size, length: at }
}

/** Each byte but the last adds one, so that no distance can be written in two ways. */
function readDistance(next: () => number): number {
  let byte = next()
  let distance = byte & 0x7f
  for (let read = 0; byte & 0x80; read += 1) {
    if (read >= MAX_NUMBER_BYTES) throw new DamagedPack('a delta names a base that is nowhere')
    byte = next()
    distance = (distance + 1) * 128 + (byte & 0x7f)
  }
  return distance
}

/** An object as it lies in a pack, without deltas. */
export async function packedEntry(type: ObjectType, data: Uint8Array): Promise<Buffer> {
  return Buffer.concat([entryHeader(type, data.length), await compress(data)])
}

/** Four bits of the size in the first byte, then seven in each. */
function entryHeader(type: ObjectType, size: number): Buffer {
  const bytes: number[] = []
  let rest = Math.floor(size / 16)
  let byte = (TYPE_NUMBERS[type] << 4) | (size % 16)
  while (rest > 0) {
    bytes.push(byte | 0x80)
    byte = rest % 128
    rest = Math.floor(rest / 128)
  }
  return Buffer.from([...bytes, byte])
}

/** The start of a pack of so many objects. */
export function writePackHeader(objects: number): Buffer {
  const bytes = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1')
  bytes.writeUInt32BE(objects, 8)
  return bytes
}
