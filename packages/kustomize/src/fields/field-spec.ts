import { BuildError, within } from '../build-error.ts'
import type { Resource } from '../resource/resource.ts'
import { writeField } from '../shared-scalar.ts'
import { fieldOf, isList, isMap, isMissingOrNull, isNull, type Value, type ValueMap } from '../value.ts'
import { splitPath } from './path.ts'

/** Names fields of objects: those of a type, by a path with `/`. `create` makes what is missing on the way. */
export interface FieldSpec {
  group?: string
  version?: string
  kind?: string
  path: string
  create?: boolean
}

export interface Visit {
  /** What a missing last field is made as. Without it, `create` does nothing. */
  createKind?: 'map' | 'scalar'
  /** Gets the value and returns what to write in its place. */
  change(value: Value | undefined): Value
}

/** Visits the fields that the spec names in the object, if the object is of its type. */
export function visitFields(resource: Resource, spec: FieldSpec, visit: Visit): void {
  if (resource.isOfType(spec)) visitPath(resource, spec, visit)
}

/** The same for an object of any type. */
export function visitPath(resource: Resource, spec: FieldSpec, visit: Visit): void {
  within({ file: resource.source.file, line: resource.source.line, field: spec.path }, () => {
    resource.object = asMap(walk(resource.object, pathOf(spec), 0, spec, visit))
  })
}

/** Most specs are the default ones, which every build shares. */
const knownPaths = new WeakMap<FieldSpec, string[]>()

function pathOf(spec: FieldSpec): string[] {
  const known = knownPaths.get(spec)
  if (known !== undefined) return known
  // What is read from a file may lack a path.
  const path = splitPath(spec.path ?? '', '/')
  knownPaths.set(spec, path)
  return path
}

function asMap(value: Value): ValueMap {
  if (isMap(value)) return value
  throw new BuildError('bad-value', 'the path of a field must not be empty')
}

function walk(value: Value, path: string[], at: number, spec: FieldSpec, visit: Visit): Value {
  if (at === path.length) return visit.change(value)
  if (isNull(value)) return value
  if (isList(value)) {
    for (let item = 0; item < value.length; item += 1)
      value[item] = walk(value[item] ?? null, path, at, spec, visit)
    return value
  }
  if (!isMap(value)) throw new BuildError('bad-value', 'expected sequence or mapping node')
  walkMap(value, path, at, spec, visit)
  return value
}

function walkMap(map: ValueMap, path: string[], at: number, spec: FieldSpec, visit: Visit): void {
  const part = path[at] ?? ''
  const isSequence = part.endsWith('[]')
  const name = isSequence ? part.slice(0, -2) : part
  if (name === '') throw new BuildError('bad-value', 'cannot set or create an empty field name')
  const creates = spec.create === true && visit.createKind !== undefined && !isSequence
  const isLast = at === path.length - 1
  let value = fieldOf(map, name)
  if (value === undefined && !creates) return
  if (isMissingOrNull(value) && creates) value = isLast ? created(visit) : {}
  else if (isNull(value) && isSequence) value = []
  if (value === undefined) return
  if (isLast) writeField(map, name, visit.change(value))
  else map[name] = walk(value, path, at + 1, spec, visit)
}

function created(visit: Visit): Value {
  return visit.createKind === 'map' ? {} : ''
}
