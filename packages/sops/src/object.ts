import type { Json, JsonObject } from '@setpoint/manifest'
import { decryption } from './decrypt.ts'
import { type Metadata, readMetadata } from './metadata.ts'
import { type Leaf, Timestamp, type Visit } from './value.ts'

/** The metadata of an object that SOPS encrypted as a whole; undefined when it is none. @throws SopsError BadFile. */
export function objectMetadata(object: JsonObject): Metadata | undefined {
  const { sops } = object
  if (typeof sops !== 'object' || sops === null || Array.isArray(sops) || !sops.mac) return undefined
  return readMetadata(sops)
}

/**
 * Decrypts the values of an object, and takes the section `sops` away. Its MAC covers the file that it came from, with
 * the order of the keys: it can only be checked there.
 * @throws SopsError BadValue naming the path of a value.
 */
export function decryptObject(object: JsonObject, metadata: Metadata, dataKey: Uint8Array): JsonObject {
  const { sops, ...rest } = object
  return walk(rest, [], decryption(metadata, dataKey)) as JsonObject
}

function walk(value: Json, path: readonly string[], visit: Visit): Json {
  if (Array.isArray(value)) return value.map((item) => walk(item, path, visit))
  if (value === null) return null
  if (typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, walk(item, [...path, key], visit)]),
    )
  const leaf = visit(value as Leaf, path)
  return leaf instanceof Timestamp ? leaf.text : leaf
}
