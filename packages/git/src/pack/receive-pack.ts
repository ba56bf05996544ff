import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { HASH_BYTES, PACK_HEADER_BYTES, readPackHeader } from './entry.ts'
import { DamagedPack, type PackLimits, tooLarge } from './limits.ts'

/** A pack that has arrived. */
export interface Received {
  /** How many objects it says to have. */
  objects: number
  bytes: number
  /** What it ends with: the hash of all before. */
  hash: Buffer
}

/** The smallest object: a byte of header, and eight that inflate to nothing. */
const MIN_OBJECT_BYTES = 9

/** Writes a pack to a file while it arrives. @throws DamagedPack when its hash is wrong, GitError TooLarge */
export async function receivePack(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  limits: PackLimits,
): Promise<Received> {
  await using file = await open(path, 'wx')
  const arriving = new ArrivingPack(limits)
  for await (const chunk of chunks) {
    arriving.take(chunk)
    await file.writeFile(chunk)
  }
  return arriving.finish()
}

class ArrivingPack {
  private readonly limits: PackLimits
  private readonly hash = createHash('sha1')
  private head = Buffer.alloc(0)
  /** The last bytes, which are not hashed as long as they may be the hash itself. */
  private tail = Buffer.alloc(0)
  private objects = 0
  private bytes = 0

  constructor(limits: PackLimits) {
    this.limits = limits
  }

  take(chunk: Uint8Array): void {
    const isHeadRead = this.bytes >= PACK_HEADER_BYTES
    this.bytes += chunk.length
    if (this.bytes > this.limits.maxUnpackedBytes)
      throw tooLarge(`it has more bytes than it may have unpacked, ${this.limits.maxUnpackedBytes}`)
    if (!isHeadRead) this.readHead(chunk)
    const known = Buffer.concat([this.tail, chunk.subarray(-HASH_BYTES)])
    if (chunk.length >= HASH_BYTES) this.hash.update(this.tail).update(chunk.subarray(0, -HASH_BYTES))
    else this.hash.update(known.subarray(0, Math.max(0, known.length - HASH_BYTES)))
    this.tail = known.subarray(-HASH_BYTES)
  }

  finish(): Received {
    const { objects, bytes, tail } = this
    if (bytes < PACK_HEADER_BYTES + HASH_BYTES) throw new DamagedPack('it ends too early')
    if (!this.hash.digest().equals(tail)) throw new DamagedPack('its hash is wrong')
    const body = bytes - PACK_HEADER_BYTES - HASH_BYTES
    if (objects * MIN_OBJECT_BYTES > body) throw new DamagedPack('it has fewer objects than it says')
    return { objects, bytes, hash: tail }
  }

  private readHead(chunk: Uint8Array): void {
    this.head = Buffer.concat([this.head, chunk.subarray(0, PACK_HEADER_BYTES - this.head.length)])
    if (this.head.length < PACK_HEADER_BYTES) return
    this.objects = readPackHeader(this.head)
    const { maxObjects } = this.limits
    if (this.objects > maxObjects)
      throw tooLarge(`it has ${this.objects} objects, more than the limit of ${maxObjects}`)
  }
}
