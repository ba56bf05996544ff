import type { Json } from './object.ts'
import {
  dropJsonComments,
  EmptyInBrackets,
  SourceScalar,
  type YamlMap,
  type YamlValue,
} from './yaml-scalar.ts'

/** Drops what is only known of the source: the JSON value of a parsed tree. */
export function plainValue(value: YamlValue): Json {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof SourceScalar) return value instanceof EmptyInBrackets ? '' : value.value
  if (Array.isArray(value)) return value.map(plainValue)
  return plainMap(value)
}

function plainMap(map: YamlMap): { [key: string]: Json } {
  const plain: { [key: string]: Json } = {}
  for (const key in map) plain[key] = plainValue(map[key] ?? null)
  return plain
}

/** The same as plainValue for a tree that nobody else holds: it is changed, not copied. */
export function plainInPlace(map: YamlMap): { [key: string]: Json } {
  dropJsonComments(map)
  for (const key in map) map[key] = settled(map[key] ?? null)
  return map as { [key: string]: Json }
}

function settled(value: YamlValue): Json {
  if (typeof value !== 'object' || value === null || value instanceof SourceScalar) return plainValue(value)
  if (!Array.isArray(value)) return plainInPlace(value)
  for (const [at, item] of value.entries()) value[at] = settled(item)
  return value as Json[]
}
