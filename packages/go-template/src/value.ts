import { TemplateError } from './errors.ts'

/** What a template works with. A Map is a Go map, whose missing keys are no error; a record is a Go struct. */
export type Value =
  | string
  | number
  | boolean
  | undefined
  | readonly Value[]
  | ReadonlyMap<Value, Value>
  | { readonly [field: string]: Value }

export function isMap(value: Value): value is ReadonlyMap<Value, Value> {
  return value instanceof Map
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

export function isRecord(value: Value): value is { readonly [field: string]: Value } {
  return typeof value === 'object' && !isMap(value) && !isList(value)
}

/** Go's truth: zero, nothing and what is empty are false. */
export function isTrue(value: Value): boolean {
  if (isList(value)) return value.length > 0
  if (isMap(value)) return value.size > 0
  return value !== undefined && value !== '' && value !== 0 && value !== false
}

/** As Go's fmt prints it. */
export function print(value: Value): string {
  if (value === undefined) return '<no value>'
  if (isList(value)) return `[${value.map(print).join(' ')}]`
  if (isMap(value)) return `map[${[...value].map(([key, item]) => `${print(key)}:${print(item)}`).join(' ')}]`
  if (isRecord(value)) return `{${Object.values(value).map(print).join(' ')}}`
  return String(value)
}

/** A field of a struct or a key of a map. @throws TemplateError for a field that a struct does not have */
export function fieldOf(value: Value, name: string): Value {
  if (isMap(value)) return value.get(name)
  if (value === undefined) throw new TemplateError(`.${name} is asked of what has no value`)
  if (isRecord(value) && Object.hasOwn(value, name)) return value[name]
  throw new TemplateError(`there is no field .${name}`)
}
