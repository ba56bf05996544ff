import {
  isNonString11,
  jsonComments,
  resolvePlain,
  SourceScalar,
  setJsonComments,
  type YamlMap,
  type YamlValue,
} from '@setpoint/manifest'

import { BuildError } from './build-error.ts'

export type Value = YamlValue
export type ValueMap = YamlMap

export function isMap(value: Value | undefined): value is ValueMap {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof SourceScalar)
  )
}

export function isList(value: Value | undefined): value is Value[] {
  return Array.isArray(value)
}

export function isScalar(value: Value): boolean {
  return typeof value !== 'object' || value === null || value instanceof SourceScalar
}

/** For a field that takes text or a number only. */
export function requireScalar(value: Value | undefined): void {
  if (value === undefined || isScalar(value)) return
  throw new BuildError('bad-value', `must be a scalar, not a ${Array.isArray(value) ? 'list' : 'map'}`)
}

/** A field of a map; what every object of JavaScript has, `constructor` say, is none. */
export function fieldOf(map: ValueMap, name: string): Value | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined
}

/** A null as written; a missing value is not one. */
export function isNull(value: Value | undefined): boolean {
  return value === null || (value instanceof SourceScalar && value.value === null)
}

export function isMissingOrNull(value: Value | undefined): value is null | undefined {
  return value === undefined || isNull(value)
}

/** Missing, null, an empty map or an empty list. */
export function isNilOrEmpty(value: Value | undefined): boolean {
  if (isMissingOrNull(value)) return true
  return Array.isArray(value) ? value.length === 0 : isMap(value) && Object.keys(value).length === 0
}

/** A date is no string: its text is not its value. */
export function isString(value: Value | undefined): boolean {
  return typeof value === 'string' || (value instanceof SourceScalar && value.value === value.text)
}

/** The text of a scalar as it stands in the source; '' for a map or a list. */
export function textOf(value: Value | undefined): string {
  if (typeof value === 'string') return value
  if (value instanceof SourceScalar) return value.text
  if (value === undefined || (typeof value === 'object' && value !== null)) return ''
  return String(value)
}

/** The same, but '' for null. */
export function valueText(value: Value | undefined): string {
  return isMissingOrNull(value) ? '' : textOf(value)
}

/** A string that stays one, whatever it looks like. */
export function stringValue(text: string): Value {
  return isNonString11(text) ? new SourceScalar(text, text, true) : text
}

/** Text that a build wrote without saying of what type it is: it is taken for what it looks like. */
export class BareScalar extends SourceScalar {}

/** A bare text: a number or a word where it looks like one. */
export function plainText(text: string): Value {
  return new BareScalar(text, resolvePlain(text, 'kustomize'), false)
}

/** What a scalar becomes when bare text is written over it: quotes stay. */
export function overwriteText(old: Value | undefined, text: string): Value {
  return old instanceof SourceScalar && old.quoted ? new SourceScalar(text, text, true) : plainText(text)
}

export function cloneValue(value: Value): Value {
  if (typeof value !== 'object' || value === null || value instanceof SourceScalar) return value
  if (Array.isArray(value)) return value.map(cloneValue)
  return cloneMap(value)
}

export function cloneMap(map: ValueMap): ValueMap {
  const copy: ValueMap = {}
  for (const key in map) copy[key] = cloneValue(map[key] ?? null)
  setJsonComments(copy, jsonComments(map))
  return copy
}

export function kindOf(value: Value | undefined): 'map' | 'list' | 'scalar' | 'none' {
  if (isMissingOrNull(value)) return 'none'
  if (Array.isArray(value)) return 'list'
  return isMap(value) ? 'map' : 'scalar'
}

/** A map of strings, by the texts of its values. Undefined when it is no map. */
export function stringMap(value: Value | undefined): Map<string, string> {
  const result = new Map<string, string>()
  if (isMap(value)) for (const key in value) result.set(key, textOf(value[key]))
  return result
}

/** Strings in quotes, and what is written over them. */
export const SourceText = {
  isQuoted: (value: Value): boolean => value instanceof SourceScalar && value.quoted,
  quoted: (text: string): Value => new SourceScalar(text, text, true),
  valueOf: (value: Value): Value => (value instanceof SourceScalar ? value.value : value),
}
