import { DamagedPack } from './limits.ts'

/** What a delta says of itself: the sizes of its base and of what it makes, and where its instructions start. */
interface DeltaHeader {
  baseSize: number
  resultSize: number
  at: number
}

const MAX_SIZE_BYTES = 8

/** @throws DamagedPack */
export function readDeltaHeader(delta: Uint8Array): DeltaHeader {
  let at = 0
  const next = () => {
    let size = 0
    for (let factor = 1, read = 0; ; factor *= 128, read += 1) {
      const byte = delta[at]
      if (byte === undefined || read >= MAX_SIZE_BYTES) throw new DamagedPack('a delta has no sizes')
      at += 1
      size += (byte & 0x7f) * factor
      if ((byte & 0x80) === 0) return size
    }
  }
  const baseSize = next()
  return { baseSize, resultSize: next(), at }
}

/**
 * Makes an object of its base: each instruction copies a range of the base or brings bytes along.
 * @throws DamagedPack
 */
export function applyDelta(base: Buffer, delta: Buffer): Buffer {
  const { baseSize, resultSize, at: start } = readDeltaHeader(delta)
  if (baseSize !== base.length) throw new DamagedPack('a delta is for another base')
  const result = Buffer.allocUnsafe(resultSize)
  let filled = 0
  const take = (from: Buffer, offset: number, size: number) => {
    if (offset + size > from.length || filled + size > resultSize)
      throw new DamagedPack('a delta reaches beyond its end')
    from.copy(result, filled, offset, offset + size)
    filled += size
  }
  for (let at = start; at < delta.length; ) {
    const instruction = delta[at] ?? 0
    at += 1
    if (instruction === 0) throw new DamagedPack('a delta has an unknown instruction')
    if (instruction & 0x80) {
      const copy = readCopy(delta, at, instruction)
      take(base, copy.offset, copy.size)
      at = copy.end
    } else {
      take(delta, at, instruction)
      at += instruction
    }
  }
  if (filled !== resultSize) throw new DamagedPack('a delta makes less than it says')
  return result
}

const MAX_COPY = 0x10000

/** The bits of the instruction say which bytes of offset (four) and size (three) follow; the others are zero. */
function readCopy(delta: Buffer, start: number, instruction: number) {
  let at = start
  const number = (firstBit: number, bytes: number) => {
    let value = 0
    for (let index = 0; index < bytes; index += 1) {
      if ((instruction & (firstBit << index)) === 0) continue
      value += (delta[at] ?? 0) * 256 ** index
      at += 1
    }
    return value
  }
  const offset = number(0x01, 4)
  const size = number(0x10, 3)
  if (at > delta.length) throw new DamagedPack('a delta ends too early')
  return { offset, size: size === 0 ? MAX_COPY : size, end: at }
}
