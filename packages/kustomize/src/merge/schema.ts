import { builtinSchemaJson } from '../generated/kubernetes-schema.ts'
import { isList, isMap, textOf, type Value, type ValueMap } from '../value.ts'

/** What a merge needs to know of a type: its fields, and how lists are merged. */
export interface SchemaNode {
  /** Fields. */
  p?: Record<string, SchemaNode>
  /** Schema of the fields that are not listed. */
  a?: SchemaNode
  /** Schema of the items of a list. */
  i?: SchemaNode
  /** Patch strategy. */
  s?: string
  /** Merge keys. */
  k?: string[]
  /** Name of the definition that it stands for. */
  r?: string
}

export interface SchemaTable {
  /** Kubernetes version of the OpenAPI document, or where it comes from. */
  version: string
  definitions: Record<string, SchemaNode>
  /** `apps/v1/Deployment` → name of its definition. */
  types: Record<string, string>
  /** Types that have no namespace, as `v1/Namespace`. */
  clusterScoped: string[]
}

/** Knows which types have no namespace. */
export interface Scopes {
  isCertainlyClusterScoped(apiVersion: string, kind: string): boolean
}

/** The types of one build: Kubernetes' own, or those of the `openapi` field. */
export class Schemas implements Scopes {
  readonly builtin: SchemaTable
  custom: SchemaTable | undefined
  clusterScoped: Set<string>
  /** kustomize forgets its own types where a custom schema comes before the first resource. */
  scopeAsked = false
  /** Set once a kustomization has said which schema to use. */
  isSet = false

  constructor(builtin: SchemaTable) {
    this.builtin = builtin
    this.clusterScoped = builtinScopes(builtin)
  }

  useCustom(table: SchemaTable): void {
    this.custom = table
    this.isSet = true
    this.clusterScoped = new Set([...this.clusterScoped, ...table.clusterScoped])
  }

  isCertainlyClusterScoped(apiVersion: string, kind: string): boolean {
    if (this.custom === undefined) this.scopeAsked = true
    return this.clusterScoped.has(`${apiVersion}/${kind}`)
  }

  forType(apiVersion: string, kind: string): SchemaNode | undefined {
    const type = `${apiVersion}/${kind}`
    const useBuiltin = this.custom === undefined || this.scopeAsked
    const name = (useBuiltin ? this.builtin.types[type] : undefined) ?? this.custom?.types[type]
    return name === undefined ? undefined : this.definition(name)
  }

  field(schema: SchemaNode, name: string): SchemaNode | undefined {
    const found = schema.p !== undefined && Object.hasOwn(schema.p, name) ? schema.p[name] : schema.a
    return this.followed(found)
  }

  items(schema: SchemaNode): SchemaNode | undefined {
    return this.followed(schema.i)
  }

  followed(schema: SchemaNode | undefined): SchemaNode | undefined {
    let node = schema
    for (let hops = 0; node?.r !== undefined && hops < 100; hops += 1) node = this.definition(node.r)
    return node
  }

  definition(name: string): SchemaNode | undefined {
    return this.builtin.definitions[name] ?? this.custom?.definitions[name]
  }
}

let builtin: SchemaTable | undefined
let scopes: Set<string> | undefined

function builtinScopes(table: SchemaTable): Set<string> {
  if (table !== builtin) return new Set(table.clusterScoped)
  scopes ??= new Set(table.clusterScoped)
  return scopes
}

/** The table that is committed; parsed on first use. */
export function builtinSchema(): SchemaTable {
  builtin ??= JSON.parse(builtinSchemaJson) as SchemaTable
  return builtin
}

/** Takes from an OpenAPI v2 document what merging needs. */
export function compileOpenApi(document: Value, version: string): SchemaTable {
  const table: SchemaTable = { version, definitions: {}, types: {}, clusterScoped: [] }
  const definitions = isMap(document) ? document.definitions : undefined
  if (isMap(definitions)) {
    for (const name in definitions) compileDefinition(table, name, definitions[name])
  }
  const paths = isMap(document) ? document.paths : undefined
  if (isMap(paths)) table.clusterScoped = findClusterScoped(paths)
  return table
}

function compileDefinition(table: SchemaTable, name: string, definition: Value | undefined): void {
  if (!isMap(definition)) return
  table.definitions[name] = compileNode(definition)
  const gvks = definition['x-kubernetes-group-version-kind']
  if (!isList(gvks)) return
  for (const gvk of gvks) {
    const type = typeName(gvk)
    if (type !== undefined) table.types[type] = name
  }
}

function typeName(gvk: Value | undefined): string | undefined {
  if (!isMap(gvk)) return undefined
  const group = textOf(gvk.group)
  return `${group === '' ? '' : `${group}/`}${textOf(gvk.version)}/${textOf(gvk.kind)}`
}

/** A schema that stands in a comment, as kustomize reads it; undefined where the comment is something else. */
export function compileComment(comment: string): SchemaNode | undefined {
  try {
    const schema = JSON.parse(comment) as Value
    return isMap(schema) ? compileNode(schema) : undefined
  } catch {
    return undefined
  }
}

function compileNode(source: ValueMap): SchemaNode {
  const node: SchemaNode = {}
  const { properties, additionalProperties, items, type, $ref } = source as Record<string, Value | undefined>
  if (isMap(properties)) node.p = compileFields(properties)
  if (isMap(additionalProperties)) node.a = compileNode(additionalProperties)
  if (isMap(items) && (textOf(type) === 'array' || (isList(type) && textOf(type[0]) === 'array'))) {
    node.i = compileNode(items)
  }
  if ($ref !== undefined) node.r = textOf($ref).replace('#/definitions/', '')
  const strategy = source['x-kubernetes-patch-strategy']
  if (strategy !== undefined) addStrategy(node, textOf(strategy), source)
  return node
}

function compileFields(properties: ValueMap): Record<string, SchemaNode> {
  const fields: Record<string, SchemaNode> = {}
  for (const name in properties) {
    const property = properties[name]
    if (isMap(property) && name !== '__proto__') fields[name] = compileNode(property)
  }
  return fields
}

function addStrategy(node: SchemaNode, strategy: string, source: ValueMap): void {
  node.s = strategy
  const mapKeys = source['x-kubernetes-list-map-keys']
  const mergeKey = source['x-kubernetes-patch-merge-key']
  if (isList(mapKeys)) node.k = mapKeys.map(textOf)
  else if (mergeKey !== undefined) node.k = [textOf(mergeKey)]
}

function findClusterScoped(paths: ValueMap): string[] {
  const scoped = new Map<string, boolean>()
  for (const path in paths) {
    const item = paths[path]
    const get = isMap(item) ? item.get : undefined
    const type = isMap(get) ? typeName(get['x-kubernetes-group-version-kind']) : undefined
    if (type === undefined) continue
    scoped.set(type, scoped.get(type) === true || path.includes('namespaces/{namespace}'))
  }
  return [...scoped]
    .filter(([, namespaced]) => !namespaced)
    .map(([type]) => type)
    .sort()
}
