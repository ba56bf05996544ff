import { BuildError, within } from '../build-error.ts'
import { isSelected } from '../resource/id.ts'
import type { Resource } from '../resource/resource.ts'
import { writeField } from '../shared-scalar.ts'
import { isList, isMap, isMissingOrNull, isNull, type Value, type ValueMap } from '../value.ts'
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
  if (!isSelected(resource.gvk, spec)) return
  within({ file: resource.source.file, line: resource.source.line, field: spec.path }, () => {
    // What is read from a file may lack a path.
    resource.object = asMap(walk(resource.object, splitPath(spec.path ?? '', '/'), spec, visit))
  })
}

function asMap(value: Value): ValueMap {
  if (isMap(value)) return value
  throw new BuildError('bad-value', 'the path of a field must not be empty')
}

function walk(value: Value, path: string[], spec: FieldSpec, visit: Visit): Value {
  if (path.length === 0) return visit.change(value)
  if (isNull(value)) return value
  if (isList(value)) {
    for (const [at, item] of value.entries()) value[at] = walk(item, path, spec, visit)
    return value
  }
  if (!isMap(value)) throw new BuildError('bad-value', 'expected sequence or mapping node')
  walkMap(value, path, spec, visit)
  return value
}

function walkMap(map: ValueMap, [part = '', ...rest]: string[], spec: FieldSpec, visit: Visit): void {
  const isSequence = part.endsWith('[]')
  const name = isSequence ? part.slice(0, -2) : part
  if (name === '') throw new BuildError('bad-value', 'cannot set or create an empty field name')
  const creates = spec.create === true && visit.createKind !== undefined && !isSequence
  let value = map[name]
  if (value === undefined && !creates) return
  if (isMissingOrNull(value) && creates) value = rest.length === 0 ? created(visit) : {}
  else if (isNull(value) && isSequence) value = []
  if (value === undefined) return
  if (rest.length > 0) {
    map[name] = walk(value, rest, spec, visit)
    return
  }
  writeField(map, name, visit.change(value))
}

function created(visit: Visit): Value {
  return visit.createKind === 'map' ? {} : ''
}
