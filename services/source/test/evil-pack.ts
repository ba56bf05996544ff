import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'

/** Packs that no Git would make. */

const BLOB = 3
const OFS_DELTA = 6

/** A blob and so many deltas, each on the one before. */
export function chainOfDeltas(length: number): Buffer {
  const objects = [packed(BLOB, Buffer.from('x'))]
  // Base of 1 byte, result of 1 byte, copied from the base.
  const delta = Buffer.from([1, 1, 0x90, 1])
  for (let n = 0; n < length; n += 1)
    objects.push(packed(OFS_DELTA, delta, Buffer.from([objects.at(-1)?.length ?? 0])))
  return packOf(objects)
}

/** One object that says to have so many bytes, and has others. */
export function lyingBlob(says: number, has: number): Buffer {
  return packOf([Buffer.concat([header(BLOB, says), deflateSync(Buffer.alloc(has))])])
}

/** A pack of a million good objects, each of 50,000 bytes that cannot be packed smaller. */
export function* endlessPack(): Generator<Buffer> {
  yield start(1_000_000)
  for (;;) yield packed(BLOB, Buffer.from(crypto.getRandomValues(new Uint8Array(50_000))))
}

function packOf(objects: Buffer[]): Buffer {
  return rehashed(Buffer.concat([start(objects.length), ...objects, Buffer.alloc(20)]))
}

function start(objects: number): Buffer {
  const head = Buffer.alloc(12)
  head.write('PACK')
  head.writeUInt32BE(2, 4)
  head.writeUInt32BE(objects, 8)
  return head
}

/** The pack with the hash at its end made right. */
export function rehashed(pack: Buffer): Buffer {
  const body = pack.subarray(0, -20)
  return Buffer.concat([body, createHash('sha1').update(body).digest()])
}

/** @param base the distance to the base, below 128 */
function packed(type: number, content: Buffer, base: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([header(type, content.length), base, deflateSync(content)])
}

function header(type: number, size: number): Buffer {
  const bytes = [(type << 4) | (size & 15) | (size > 15 ? 0x80 : 0)]
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128))
    bytes.push((rest & 0x7f) | (rest > 127 ? 0x80 : 0))
  return Buffer.from(bytes)
}
