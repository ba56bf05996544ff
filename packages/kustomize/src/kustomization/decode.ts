import { plainValue } from '@setpoint/manifest'
import { BuildError } from '../build-error.ts'
import { isList, isMap, isNull, isString, textOf, type Value, type ValueMap } from '../value.ts'
import { nearestName } from './nearest.ts'
import type { Shape } from './shape.ts'

export interface DecodeOptions {
  /** Refuse fields that are not known. */
  strict: boolean
  /** Take numbers and booleans where a string is wanted. */
  coerce: boolean
}

/** Reads a value of a shape; nulls and what is not there are left out. Errors name the field. */
export function decode<Result>(
  value: Value | undefined,
  shape: Shape,
  options: DecodeOptions,
): Result | undefined {
  return decodeAt(value, shape, options, '') as Result | undefined
}

function decodeAt(value: Value | undefined, shape: Shape, options: DecodeOptions, path: string): unknown {
  if (value === undefined || isNull(value)) return undefined
  if (typeof shape === 'string') return decodeScalar(value, shape, options, path)
  if ('list' in shape) return decodeList(value, shape.list, options, path)
  if (!isMap(value)) throw wrongType(path, 'a map', value)
  return 'map' in shape
    ? decodeMap(value, shape.map, options, path)
    : decodeStruct(value, shape.fields, options, path)
}

function decodeList(value: Value, shape: Shape, options: DecodeOptions, path: string): unknown[] {
  if (!isList(value)) throw wrongType(path, 'a list', value)
  return value.map((item, at) => decodeAt(item, shape, options, `${path}[${at}]`) ?? zero(shape))
}

function zero(shape: Shape): unknown {
  if (shape === 'string') return ''
  return typeof shape === 'object' && 'fields' in shape ? {} : undefined
}

function decodeMap(
  value: ValueMap,
  shape: Shape,
  options: DecodeOptions,
  path: string,
): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const key in value) result[key] = decodeAt(value[key], shape, options, join(path, key)) ?? zero(shape)
  return result
}

function decodeStruct(
  value: ValueMap,
  fields: Record<string, Shape>,
  options: DecodeOptions,
  path: string,
): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  // kustomize reads it as JSON with sorted keys: of two spellings of a field the last one counts.
  for (const key of Object.keys(value).sort()) {
    const name = fieldName(key, fields)
    if (name === undefined) {
      if (options.strict) throw unknownField(key, fields, path)
      continue
    }
    const decoded = decodeAt(value[key], fields[name] ?? 'any', options, join(path, name))
    if (decoded !== undefined) result[name] = decoded
  }
  return result
}

function fieldName(key: string, fields: Record<string, Shape>): string | undefined {
  if (Object.hasOwn(fields, key)) return key
  const lower = key.toLowerCase()
  return Object.keys(fields).find((field) => field.toLowerCase() === lower)
}

function decodeScalar(
  value: Value,
  shape: 'string' | 'bool' | 'int' | 'any',
  options: DecodeOptions,
  path: string,
): unknown {
  if (shape === 'any') return plainValue(value)
  const plain = plainValue(value)
  if (shape === 'bool') {
    if (typeof plain !== 'boolean') throw wrongType(path, 'true or false', value)
    return plain
  }
  if (shape === 'int') {
    if (typeof plain !== 'number' || !Number.isSafeInteger(plain))
      throw wrongType(path, 'a whole number', value)
    return plain
  }
  if (isString(value)) return textOf(value)
  if (!options.coerce || isMap(value) || isList(value)) throw wrongType(path, 'a string', value)
  return String(plain)
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function wrongType(path: string, wanted: string, value: Value): BuildError {
  const found = isMap(value) ? 'a map' : isList(value) ? 'a list' : `'${textOf(value)}'`
  return new BuildError('bad-value', `must be ${wanted}, not ${found}`, {
    field: path === '' ? undefined : path,
  })
}

function unknownField(key: string, fields: Record<string, Shape>, path: string): BuildError {
  const nearest = nearestName(key, Object.keys(fields))
  const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`
  return new BuildError('unknown-field', `unknown field "${key}"${hint}`, { field: join(path, key) })
}
