import { GitError } from '../errors.ts'

/** Bounds on what a pack may unpack to. */
export interface PackLimits {
  /** Bytes of one object. */
  maxObjectBytes: number
  /** Bytes of all objects together. */
  maxUnpackedBytes: number
  maxObjects: number
  /** Bytes that one compressed byte of an object becomes, deltas not counted; what is below 16 MiB is taken as it is. */
  maxRatio: number
  /** Deltas on deltas. Git itself makes chains of 50, and at most 4,095. */
  maxDeltaDepth: number
}

export const DEFAULT_PACK_LIMITS: PackLimits = {
  maxObjectBytes: 512 * 1024 * 1024,
  maxUnpackedBytes: 4096 * 1024 * 1024,
  maxObjects: 5_000_000,
  maxRatio: 500,
  maxDeltaDepth: 4_095,
}

/** A pack, or the index of one, that is not what it says. Whose fault that is, the caller knows: a server's or the disk's. */
export class DamagedPack extends Error {
  override readonly name = 'DamagedPack'
}

/** The refusal of a pack that is beyond a bound. */
export function tooLarge(what: string): GitError {
  return new GitError('TooLarge', `the pack that the server sent is refused: ${what}`)
}

export function checkObjectSize(bytes: number, { maxObjectBytes }: PackLimits): void {
  if (bytes > maxObjectBytes)
    throw tooLarge(`an object has ${bytes} bytes, more than the limit of ${maxObjectBytes}`)
}

const RATIO_FREE_BYTES = 16 * 1024 * 1024

/** @param bytes what an object unpacks to @param compressed what it was in the pack */
export function checkRatio(bytes: number, compressed: number, { maxRatio }: PackLimits): void {
  if (bytes > RATIO_FREE_BYTES && bytes > maxRatio * compressed)
    throw tooLarge(`an object unpacks to more than ${maxRatio} times its size, which is the limit`)
}

export function checkDepth(depth: number, { maxDeltaDepth }: PackLimits): void {
  if (depth > maxDeltaDepth) throw tooLarge(`a chain of deltas is longer than the limit of ${maxDeltaDepth}`)
}
