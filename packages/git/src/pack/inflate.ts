import { Readable } from 'node:stream'
import { createInflate, inflateSync } from 'node:zlib'
import { DamagedPack } from './limits.ts'
import type { PackFile } from './pack-file.ts'

/** Up to here, inflating at once takes less than handing it over to a thread; beyond, others would wait for it. */
const MAX_AT_ONCE = 1024 * 1024

/**
 * Inflates what starts at an offset; a large object comes in pieces, and only one of them is held.
 * Returns where the compressed data ends. @throws DamagedPack also when it is not of the size that it says
 */
export async function inflatePieces(
  file: PackFile,
  offset: number,
  size: number,
  onPiece: (piece: Buffer) => void,
): Promise<number> {
  if (size <= MAX_AT_ONCE) {
    const whole = inflateAtOnce(await file.from(offset, longestDeflated(size)), size)
    if (whole !== undefined) {
      onPiece(whole.data)
      return offset + whole.used
    }
  }
  return inflateStream(file, offset, size, onPiece)
}

/** Inflates an object that is held whole. @throws DamagedPack */
export async function inflate(file: PackFile, offset: number, size: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  await inflatePieces(file, offset, size, (piece) => pieces.push(piece))
  const [only] = pieces
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces, size)
}

/** Of what any compressor makes; see deflateBound of zlib. */
const longestDeflated = (size: number): number => size + Math.ceil(size / 1000) + 64

/** undefined when the input ends before the data does. */
function inflateAtOnce(input: Buffer, size: number): { data: Buffer; used: number } | undefined {
  try {
    const options = { info: true, maxOutputLength: size + 1, chunkSize: Math.max(64, size + 1) }
    const { buffer, engine } = inflateSync(input, options) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    if (buffer.length !== size) throw otherSize()
    return { data: buffer, used: engine.bytesWritten }
  } catch (cause) {
    if (cause instanceof DamagedPack) throw cause
    if (cause instanceof RangeError) throw tooLong()
    if (cause instanceof Error && 'code' in cause && cause.code === 'Z_BUF_ERROR') return undefined
    throw undecodable()
  }
}

async function inflateStream(
  file: PackFile,
  offset: number,
  size: number,
  onPiece: (piece: Buffer) => void,
): Promise<number> {
  const input = Readable.from(file.pieces(offset))
  const engine = createInflate({ chunkSize: 256 * 1024 })
  input.once('error', (error) => engine.destroy(error))
  let inflated = 0
  try {
    for await (const piece of input.pipe(engine)) {
      inflated += piece.length
      if (inflated > size) throw tooLong()
      onPiece(piece)
    }
  } catch (cause) {
    throw cause instanceof DamagedPack || !isZlibError(cause) ? cause : undecodable()
  } finally {
    input.destroy()
  }
  if (inflated !== size) throw otherSize()
  return offset + engine.bytesWritten
}

function isZlibError(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && String(cause.code).startsWith('Z_')
}

const otherSize = () => new DamagedPack('an object has another size than it says')
const tooLong = () => new DamagedPack('an object is larger than it says')
const undecodable = () => new DamagedPack('an object cannot be decompressed')
