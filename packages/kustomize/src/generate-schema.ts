/**
 * Writes src/generated/kubernetes-schema.ts from a Kubernetes OpenAPI v2 document.
 *
 *   kubectl get --raw /openapi/v2 > openapi.json
 *   node packages/kustomize/src/generate-schema.ts openapi.json v1.21.2
 *
 * kustomize 5.8 merges by the types of Kubernetes 1.21.2, whatever the cluster; so does the table that is
 * committed. Its document is api/openapi-spec/swagger.json of the module k8s.io/kubernetes v1.21.2, which is
 * the answer of that API server.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { compileOpenApi, type SchemaNode, type SchemaTable } from './merge/schema.ts'
import type { Value } from './value.ts'

const [path, version] = process.argv.slice(2)
if (path === undefined || version === undefined) {
  throw new Error('usage: node generate-schema.ts OPENAPI_V2_JSON KUBERNETES_VERSION')
}
const table = prune(withoutAlpha(compileOpenApi(JSON.parse(readFileSync(path, 'utf8')) as Value, version)))
const target = new URL('./generated/kubernetes-schema.ts', import.meta.url)
writeFileSync(
  target,
  `// Written by generate-schema.ts from the OpenAPI document of Kubernetes ${table.version}. Do not edit.\n` +
    `export const builtinSchemaJson =\n  '${JSON.stringify(table)}'\n`,
)

/** An API server does not serve alpha versions unless it is told to; kustomize does not know them. */
function withoutAlpha(full: SchemaTable): SchemaTable {
  const isServed = (type: string) => !/(^|\/)v\d+alpha\d+\//.test(type)
  const types = Object.fromEntries(Object.entries(full.types).filter(([type]) => isServed(type)))
  return { ...full, types, clusterScoped: full.clusterScoped.filter(isServed) }
}

/** Keeps what leads to a patch strategy; where none does, a type merges as if it were unknown. */
function prune(full: SchemaTable): SchemaTable {
  const useful = usefulDefinitions(full)
  const definitions: SchemaTable['definitions'] = {}
  for (const name of [...useful].sort()) {
    const node = pruneNode(full.definitions[name] ?? {}, useful)
    if (node !== undefined) definitions[name] = node
  }
  const types = Object.fromEntries(
    Object.entries(full.types)
      .filter(([, name]) => useful.has(name))
      .sort(),
  )
  return { ...full, definitions, types }
}

function usefulDefinitions(full: SchemaTable): Set<string> {
  const useful = new Set<string>()
  for (let size = -1; size !== useful.size; ) {
    size = useful.size
    for (const [name, node] of Object.entries(full.definitions)) {
      if (pruneNode(node, useful) !== undefined) useful.add(name)
    }
  }
  return useful
}

function pruneNode(node: SchemaNode, useful: Set<string>): SchemaNode | undefined {
  const kept: SchemaNode = {}
  const fields = Object.entries(node.p ?? {}).flatMap(([name, field]) => {
    const pruned = pruneNode(field, useful)
    return pruned === undefined ? [] : [[name, pruned] as const]
  })
  if (fields.length > 0) kept.p = Object.fromEntries(fields)
  const additional = node.a && pruneNode(node.a, useful)
  const items = node.i && pruneNode(node.i, useful)
  if (additional !== undefined) kept.a = additional
  if (items !== undefined) kept.i = items
  if (node.r !== undefined && useful.has(node.r)) kept.r = node.r
  if (node.s !== undefined) kept.s = node.s
  if (node.k !== undefined) kept.k = node.k
  return Object.keys(kept).length === 0 ? undefined : kept
}
