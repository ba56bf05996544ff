import { createHash } from 'node:crypto'
import { type KubeObject, stringifyJson } from '@setpoint/manifest'

/** Short digest of a desired object: equal hashes mean that the same is wanted. */
export function desiredHash(object: KubeObject): string {
  return shortHash(stringifyJson(object))
}

/** 132 bits of SHA-256: short enough to keep for every object of a fleet. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('base64').slice(0, 22)
}
