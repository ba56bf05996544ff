import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { ArtifactError } from './errors.ts'

/** Bounds on what is unpacked, so that a small message cannot fill the memory. */
export interface UnpackLimits {
  /** Bytes of all contents and the listing. Default 1 GiB. */
  maxBytes?: number
  /** Files of a tree. Default 1,000,000. */
  maxFiles?: number
}

export const DEFAULT_LIMITS = { maxBytes: 1024 * 1024 * 1024, maxFiles: 1_000_000 }

const MAGIC_BYTES = 4
const LENGTH_BYTES = 4

/** A four-letter name, a JSON head and a run of bytes, compressed as one zstd frame. */
export function packContainer(magic: string, head: unknown, contents: readonly Uint8Array[]): Uint8Array {
  const json = Buffer.from(JSON.stringify(head))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(json.length)
  return zstdCompressSync(Buffer.concat([Buffer.from(magic, 'latin1'), length, json, ...contents]))
}

/** Undoes packContainer. @throws ArtifactError */
export function unpackContainer(
  magic: string,
  bytes: Uint8Array,
  limits: UnpackLimits,
): { head: unknown; contents: Buffer } {
  const plain = decompress(bytes, limits.maxBytes ?? DEFAULT_LIMITS.maxBytes)
  const start = MAGIC_BYTES + LENGTH_BYTES
  if (plain.length < start || plain.toString('latin1', 0, MAGIC_BYTES) !== magic)
    throw new ArtifactError('Damaged', `the bytes do not start with ${magic}`)
  const end = start + plain.readUInt32BE(MAGIC_BYTES)
  if (end > plain.length) throw new ArtifactError('Damaged', 'the bytes end within the listing')
  return { head: parse(plain.subarray(start, end)), contents: plain.subarray(end) }
}

function decompress(bytes: Uint8Array, maxOutputLength: number): Buffer {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength })
  } catch (cause) {
    if (cause instanceof RangeError)
      throw new ArtifactError('TooLarge', `unpacked, it has more than ${maxOutputLength} bytes`, { cause })
    throw new ArtifactError('Damaged', 'the bytes cannot be decompressed', { cause })
  }
}

function parse(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString('utf8'))
  } catch (cause) {
    throw new ArtifactError('Damaged', 'the listing is not JSON', { cause })
  }
}
