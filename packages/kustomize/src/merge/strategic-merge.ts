import { isNonString11, jsonComments } from '@setpoint/manifest'
import { BuildError } from '../build-error.ts'
import { writeField } from '../shared-scalar.ts'
import {
  BareScalar,
  fieldOf,
  isList,
  isMap,
  isMissingOrNull,
  isNull,
  isString,
  kindOf,
  SourceText,
  textOf,
  type Value,
  type ValueMap,
} from '../value.ts'
import { mergeAssociativeList } from './associative-list.ts'
import { takeDirective } from './directive.ts'
import { compileComment, type SchemaNode, type Schemas } from './schema.ts'

export interface MergeContext {
  schemas: Schemas
  schema: SchemaNode | undefined
  path: string[]
}

/**
 * Lays a strategic-merge patch over a value, as kustomize does. Changes both; undefined means that nothing is left.
 * What the target does not have is merged with itself, which takes the directives and nulls out of the patch.
 */
export function strategicMerge(
  target: Value | undefined,
  patch: Value | undefined,
  context: MergeContext,
): Value | undefined {
  const schema = context.schema ?? schemaOfObject([target, patch], context.schemas)
  const here = { ...context, schema }
  switch (kindOf(isMissingOrNull(target) ? patch : target)) {
    case 'list':
      requireKind('list', [target, patch], context.path)
      return mergeList(target, patch, here)
    case 'scalar':
      requireKind('scalar', [target, patch], context.path)
      return patch === undefined ? target : isNull(patch) ? undefined : patch
    default:
      requireKind('map', [target, patch], context.path)
      return mergeMap(target, patch, here)
  }
}

/** An object within an object may name a type of its own. */
function schemaOfObject(values: (Value | undefined)[], schemas: Schemas): SchemaNode | undefined {
  for (const value of values) {
    if (!isMap(value)) continue
    const { kind, apiVersion } = value
    if (isMissingOrNull(kind) || isMissingOrNull(apiVersion)) continue
    const schema = schemas.forType(textOf(apiVersion), textOf(kind))
    if (schema !== undefined) return schema
  }
  return undefined
}

function requireKind(kind: 'map' | 'list' | 'scalar', values: (Value | undefined)[], path: string[]): void {
  for (const value of values) {
    if (isMissingOrNull(value) || kindOf(value) === kind) continue
    throw new BuildError(
      'bad-patch',
      `the patch has a ${kindOf(value)} where a ${kind} is wanted, or the other way round`,
      {
        field: path.join('.'),
      },
    )
  }
}

function mergeMap(
  target: Value | undefined,
  patch: Value | undefined,
  context: MergeContext,
): Value | undefined {
  const base = baseOfMap(target, patch)
  if (!isMap(base)) return base
  const fields = new Set([...Object.keys(base), ...(isMap(patch) ? Object.keys(patch) : [])])
  for (const name of [...fields].sort()) {
    mergeField(base, isMap(patch) ? patch : {}, name, context)
  }
  return base
}

/** The map to write to: the target, or the patch where it replaces or adds. */
function baseOfMap(target: Value | undefined, patch: Value | undefined): Value | undefined {
  if (isMissingOrNull(target)) {
    if (takeDirective(patch) === 'delete') return undefined
    // A null that is written out stays; one that is only a missing value goes.
    if (patch === undefined) return target !== undefined && textOf(target) !== '' ? target : undefined
    return isNull(patch) ? undefined : patch
  }
  if (isNull(patch)) return undefined
  const directive = takeDirective(patch)
  if (directive === 'delete') return undefined
  return directive === 'replace' ? patch : target
}

function mergeField(base: ValueMap, patch: ValueMap, name: string, context: MergeContext): void {
  const { schemas, schema } = context
  if (name === '')
    throw new BuildError('bad-patch', 'a key must not be empty', { field: context.path.join('.') })
  const old = fieldOf(base, name)
  const known = schema === undefined ? undefined : schemas.field(schema, name)
  const merged = strategicMerge(old, fieldOf(patch, name), {
    schemas,
    schema: schemas.followed(commentSchema(base, name) ?? commentSchema(patch, name) ?? known),
    path: [...context.path, name],
  })
  if (merged === undefined) delete base[name]
  else if (merged === old) base[name] = settled(merged)
  else writeField(base, name, keepStyle(old, merged))
}

/** A field may say in a comment how it is merged. */
function commentSchema(map: ValueMap, name: string): SchemaNode | undefined {
  const comment = isMissingOrNull(fieldOf(map, name)) ? undefined : jsonComments(map)?.[name]
  return comment === undefined ? undefined : compileComment(comment)
}

/** A merge makes a string of text whose type nobody has said. */
function settled(value: Value): Value {
  return value instanceof BareScalar && isNonString11(value.text) ? SourceText.quoted(value.text) : value
}

/** A scalar is written in the style of the one that it replaces: over a quoted string, a number becomes a string. */
function keepStyle(old: Value | undefined, merged: Value): Value {
  if (old === undefined || kindOf(merged) !== 'scalar') return merged
  if (SourceText.isQuoted(old)) return SourceText.quoted(textOf(merged))
  return isString(merged) ? textOf(merged) : merged
}

function mergeList(
  target: Value | undefined,
  patch: Value | undefined,
  context: MergeContext,
): Value | undefined {
  if (!(context.schema?.s ?? '').split(',').includes('merge'))
    return isNull(patch) ? undefined : (patch ?? target)
  if (isMissingOrNull(target)) return isList(patch) ? mergeAssociativeList(patch, patch, context) : undefined
  if (isNull(patch)) return undefined
  const directive = takeDirective(patch)
  if (directive === 'delete') return undefined
  const base = directive === 'replace' ? patch : target
  if (!isList(base)) return undefined
  return mergeAssociativeList(base, isList(patch) ? patch : undefined, context)
}
