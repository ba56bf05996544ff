import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { GitError } from './errors.ts'

/** Bounds on what a pack may unpack to. */
export interface PackLimits {
  /** Bytes of one object. */
  maxObjectBytes: number
  /** Bytes of all objects together. */
  maxUnpackedBytes: number
  maxObjects: number
  /** Deltas on deltas. Git itself makes chains of 50, and at most 4,095. */
  maxDeltaDepth: number
}

export const DEFAULT_PACK_LIMITS: PackLimits = {
  maxObjectBytes: 512 * 1024 * 1024,
  maxUnpackedBytes: 4096 * 1024 * 1024,
  maxObjects: 5_000_000,
  maxDeltaDepth: 4_095,
}

const HEADER_BYTES = 12
const HASH_BYTES = 20
const OFS_DELTA = 6
const REF_DELTA = 7
const TYPES = new Set([1, 2, 3, 4, OFS_DELTA, REF_DELTA])
/** A size of more bytes than this is no size that could be had. */
const MAX_SIZE_BYTES = 7

/**
 * Walks a pack before anything is made of it: nothing is unpacked beyond the bounds, no matter what it says of itself.
 * @throws GitError TooLarge for one that would not fit, ProtocolError for one that lies or is damaged
 */
export function checkPack(pack: Uint8Array, limits: PackLimits = DEFAULT_PACK_LIMITS): void {
  new PackWalk(Buffer.from(pack.buffer, pack.byteOffset, pack.byteLength), limits).run()
}

class PackWalk {
  private readonly pack: Buffer
  private readonly limits: PackLimits
  /** How many deltas lie below the object at an offset. */
  private readonly depths = new Map<number, number>()
  private unpacked = 0
  private at = HEADER_BYTES

  constructor(pack: Buffer, limits: PackLimits) {
    this.pack = pack
    this.limits = limits
  }

  run(): void {
    const count = this.readCount()
    for (let index = 0; index < count; index += 1) this.object()
    if (this.at !== this.pack.length - HASH_BYTES) throw damaged('it has other bytes than it says')
    const hash = createHash('sha1').update(this.pack.subarray(0, this.at)).digest()
    if (!hash.equals(this.pack.subarray(this.at))) throw damaged('its hash is wrong')
  }

  private readCount(): number {
    const { pack } = this
    if (pack.length < HEADER_BYTES + HASH_BYTES || pack.toString('latin1', 0, 4) !== 'PACK')
      throw damaged('it does not start like one')
    const count = pack.readUInt32BE(8)
    if (count > this.limits.maxObjects)
      throw tooLarge(`it has ${count} objects, more than the limit of ${this.limits.maxObjects}`)
    return count
  }

  private object(): void {
    const start = this.at
    const { type, size } = this.objectHeader()
    let depth = 0
    if (type === OFS_DELTA) {
      const base = start - this.negativeOffset()
      const below = this.depths.get(base)
      if (below === undefined) throw damaged('a delta names a base that is not before it')
      depth = below + 1
    } else if (type === REF_DELTA) {
      this.at += HASH_BYTES
      depth = 1
    }
    if (depth > this.limits.maxDeltaDepth)
      throw tooLarge(`a chain of deltas is longer than the limit of ${this.limits.maxDeltaDepth}`)
    this.depths.set(start, depth)
    const data = this.inflate(size)
    this.count(type === OFS_DELTA || type === REF_DELTA ? resultSize(data) : data.length)
  }

  private objectHeader(): { type: number; size: number } {
    let byte = this.byte()
    const type = (byte >> 4) & 7
    if (!TYPES.has(type)) throw damaged(`it has an object of the unknown type ${type}`)
    let size = byte & 15
    for (let factor = 16, read = 0; byte & 0x80; factor *= 128, read += 1) {
      if (read >= MAX_SIZE_BYTES) throw tooLarge('an object says to be larger than anything')
      byte = this.byte()
      size += (byte & 0x7f) * factor
    }
    this.checkObject(size)
    return { type, size }
  }

  private negativeOffset(): number {
    let byte = this.byte()
    let offset = byte & 0x7f
    for (let read = 0; byte & 0x80; read += 1) {
      if (read >= MAX_SIZE_BYTES) throw damaged('a delta names a base that is nowhere')
      byte = this.byte()
      offset = (offset + 1) * 128 + (byte & 0x7f)
    }
    return offset
  }

  private inflate(size: number): Buffer {
    const input = this.pack.subarray(this.at, this.pack.length - HASH_BYTES)
    try {
      const { buffer, engine } = inflateSync(input, { info: true, maxOutputLength: size + 1 }) as unknown as {
        buffer: Buffer
        engine: { bytesWritten: number }
      }
      if (buffer.length !== size) throw damaged('an object has another size than it says')
      this.at += engine.bytesWritten
      return buffer
    } catch (cause) {
      if (cause instanceof GitError) throw cause
      if (cause instanceof RangeError) throw damaged('an object is larger than it says')
      throw damaged('an object cannot be decompressed')
    }
  }

  private count(bytes: number): void {
    this.checkObject(bytes)
    this.unpacked += bytes
    if (this.unpacked > this.limits.maxUnpackedBytes)
      throw tooLarge(`unpacked, it has more than the limit of ${this.limits.maxUnpackedBytes} bytes`)
  }

  private checkObject(bytes: number): void {
    if (bytes > this.limits.maxObjectBytes)
      throw tooLarge(`an object has ${bytes} bytes, more than the limit of ${this.limits.maxObjectBytes}`)
  }

  private byte(): number {
    const byte = this.pack[this.at]
    if (byte === undefined) throw damaged('it ends too early')
    this.at += 1
    return byte
  }
}

/** A delta starts with the sizes of its base and of what it makes. */
function resultSize(delta: Buffer): number {
  let at = 0
  const next = () => {
    let size = 0
    for (let factor = 1, read = 0; ; factor *= 128, read += 1) {
      const byte = delta[at]
      if (byte === undefined || read > MAX_SIZE_BYTES) throw damaged('a delta has no sizes')
      at += 1
      size += (byte & 0x7f) * factor
      if ((byte & 0x80) === 0) return size
    }
  }
  next()
  return next()
}

function damaged(what: string): GitError {
  return new GitError('ProtocolError', `the pack that the server sent cannot be used: ${what}`)
}

function tooLarge(what: string): GitError {
  return new GitError('TooLarge', `the pack that the server sent is refused: ${what}`)
}
