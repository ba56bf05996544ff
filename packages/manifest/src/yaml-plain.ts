import type { Json } from './object.ts'
import { EmptyInBrackets, SourceScalar, type YamlMap, type YamlValue } from './yaml-scalar.ts'

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
