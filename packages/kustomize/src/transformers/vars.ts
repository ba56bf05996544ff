import { BuildError } from '../build-error.ts'
import { type FieldSpec, visitFields } from '../fields/field-spec.ts'
import { lookUp } from '../fields/lookup.ts'
import { splitFieldPath } from '../fields/path.ts'
import type { Var } from '../kustomization/types.ts'
import type { Scopes } from '../merge/schema.ts'
import {
  describeId,
  isClusterScoped,
  parseGroupVersion,
  type ResourceId,
  sameGvk,
  sameId,
} from '../resource/id.ts'
import type { ResourceList } from '../resource/resource-list.ts'
import { writeField } from '../shared-scalar.ts'
import {
  BareScalar,
  isList,
  isMap,
  isMissingOrNull,
  isScalar,
  isString,
  SourceText,
  stringValue,
  textOf,
  type Value,
} from '../value.ts'

/** Notes which objects the vars of a kustomization read. No var may be defined twice. */
export function mergeVars(
  known: Map<string, Var>,
  incoming: Var[],
  list: ResourceList,
  scopes: Scopes,
): void {
  for (const variable of incoming) {
    const { name = '' } = variable
    const matches = list.matchingAnyId(matcherOf(variable, scopes))
    if (matches.length > 1) {
      const ids = matches.map((match) => describeId(match.id)).join(', ')
      throw new BuildError('ambiguous-reference', `the var '${name}' could read several objects: ${ids}`, {
        field: 'vars',
      })
    }
    matches[0]?.varNames.push(name)
  }
  for (const variable of incoming) addVar(known, variable)
}

export function addVar(known: Map<string, Var>, variable: Var): void {
  const { name = '' } = variable
  if (known.has(name))
    throw new BuildError('conflict', `var '${name}' already encountered`, { field: 'vars' })
  known.set(name, variable)
}

function matcherOf({ objref = {} }: Var, scopes: Scopes): (id: ResourceId) => boolean {
  const { apiVersion = '', group = '', version = '', kind = '', name = '', namespace = '' } = objref
  const gvk = apiVersion === '' ? { group, version, kind } : { ...parseGroupVersion(apiVersion), kind }
  const clusterScoped = isClusterScoped(gvk, scopes)
  const wanted: ResourceId = { ...gvk, name, namespace, clusterScoped }
  if (namespace !== '') return (id) => sameId(id, wanted)
  return (id) => id.name === name && sameGvk(id, wanted)
}

type Replacer = (name: string) => Value

/** Writes the values of vars where `$(NAME)` stands in one of the fields. */
export function resolveVars(list: ResourceList, vars: Map<string, Var>, specs: FieldSpec[]): void {
  if (vars.size === 0) return
  const values = new Map([...vars.values()].map((variable) => [variable.name ?? '', readVar(list, variable)]))
  const replace: Replacer = (name) => values.get(name) ?? `$(${name})`
  for (const resource of list.items) {
    for (const spec of specs)
      visitFields(resource, spec, { change: (value) => expanded(value ?? null, replace) })
  }
}

function readVar(list: ResourceList, variable: Var): Value {
  const { name = '', fieldref } = variable
  const resource = list.items.find((item) => item.varNames.includes(name))
  if (resource === undefined) {
    throw new BuildError(
      'resource-not-found',
      `var '${name}' cannot be mapped to a field in the set of known resources`,
      { field: 'vars' },
    )
  }
  const fieldPath = fieldref?.fieldPath || 'metadata.name'
  const path = splitFieldPath(fieldPath, '.').flatMap(splitIndex)
  const value = lookUp(resource.object, path)
  if (value === undefined) {
    throw new BuildError(
      'resource-not-found',
      `the field ${fieldPath} of var '${name}' is not in ${describeId(resource.id)}`,
      { field: 'vars' },
    )
  }
  if (!isScalar(value)) return `$(${name})`
  const read = varValue(value)
  if (read !== undefined) return read
  throw new BuildError('bad-value', `the value '${textOf(value)}' of var '${name}' cannot be read`, {
    field: 'vars',
  })
}

/** What Go's strconv makes of a number or a boolean; the text of anything else. */
function varValue(value: Value): Value | undefined {
  const text = textOf(value)
  const plain = SourceText.valueOf(value)
  if (typeof plain === 'bigint') return plain
  if (typeof plain !== 'number') return typeof plain === 'boolean' ? plain : text
  if (/^[-+]?\d+$/.test(text)) return Number(text)
  return Number.isNaN(Number(text)) || /^[-+]?0[xob]/i.test(text) ? undefined : plain
}

/** `ports[0]` is the name and the index. */
function splitIndex(part: string): string[] {
  const match = /^(.*)\[(\d+)\]$/.exec(part)
  if (match === null) return [part]
  const [, name = '', index = ''] = match
  return name === '' ? [index] : [name, index]
}

function expanded(value: Value, replace: Replacer): Value {
  if (isMissingOrNull(value)) return value
  if (isMap(value)) {
    for (const key in value) writeField(value, key, expandedScalar(value[key] ?? null, replace))
    return value
  }
  if (!isList(value)) return expandedScalar(value, replace)
  for (const [at, item] of value.entries()) {
    if (!isText(item)) throw new BuildError('bad-value', 'invalid value type, expect a string')
    value[at] = expandedScalar(item, replace)
  }
  return value
}

function expandedScalar(value: Value, replace: Replacer): Value {
  if (!isText(value)) return value
  const result = expandText(textOf(value), replace)
  return typeof result === 'string' ? stringValue(result) : result
}

/** What has no type yet is text. */
function isText(value: Value): boolean {
  return isString(value) || value instanceof BareScalar
}

/** `$$` is a dollar. A text that is nothing but one var takes the type of its value. */
function expandText(text: string, replace: Replacer): Value {
  if (!text.includes('$')) return text
  const whole = /^\$\(([^)]*)\)$/.exec(text)
  if (whole !== null) return replace(whole[1] ?? '')
  return text.replace(/\$(\$|\(([^)]*)\))/g, (_match, what: string, name: string | undefined) =>
    what === '$' ? '$' : textOf(replace(name ?? '')),
  )
}
