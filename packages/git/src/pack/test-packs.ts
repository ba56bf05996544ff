import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { writePackHeader } from './entry.ts'

/** Numbers of types, as packs have them. */
export const BLOB = 3
export const OFS_DELTA = 6
export const REF_DELTA = 7

/** An object as it lies in a pack. */
export function object(
  type: number,
  content: Buffer,
  { size = content.length, between = Buffer.alloc(0) }: { size?: number; between?: Buffer } = {},
): Buffer {
  const header = [(type << 4) | (size & 15) | (size > 15 ? 0x80 : 0)]
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128))
    header.push((rest & 0x7f) | (rest > 127 ? 0x80 : 0))
  return Buffer.concat([Buffer.from(header), between, deflateSync(content)])
}

export function packOf(objects: Buffer[], { count = objects.length } = {}): Buffer {
  const body = Buffer.concat([writePackHeader(count), ...objects])
  return Buffer.concat([body, createHash('sha1').update(body).digest()])
}

/** The distance to a base, as a pack writes it. */
export function distance(value: number): Buffer {
  const bytes = [value & 0x7f]
  for (let rest = value >> 7; rest > 0; rest >>= 7) bytes.unshift((--rest & 0x7f) | 0x80)
  return Buffer.from(bytes)
}

/** A blob and deltas, each on the one before and a byte longer. */
export function chain(length: number): Buffer[] {
  const objects = [object(BLOB, Buffer.from('x'))]
  for (let size = 1; size <= length; size += 1) {
    const delta = Buffer.from([size, size + 1, ...copy(size), 1, 0x79])
    objects.push(object(OFS_DELTA, delta, { between: distance(objects.at(-1)?.length ?? 0) }))
  }
  return objects
}

/** An instruction of a delta: so many bytes from the start of the base. */
const copy = (size: number): number[] => [0x90, size]

/** The bytes in pieces, as a network brings them. */
export async function* inPieces(bytes: Uint8Array, size = 1_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** Runs git in a directory with some input; returns the bytes that it prints. */
export function gitBytes(cwd: string, args: string[], input = ''): Buffer {
  return execFileSync('git', args, {
    cwd,
    input,
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 256 * 1024 * 1024,
  })
}
