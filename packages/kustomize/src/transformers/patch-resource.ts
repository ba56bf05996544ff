import { type Json, plainValue, SourceScalar } from '@setpoint/manifest'
import { within } from '../build-error.ts'
import type { Schemas } from '../merge/schema.ts'
import { strategicMerge } from '../merge/strategic-merge.ts'
import { describeId } from '../resource/id.ts'
import type { Resource } from '../resource/resource.ts'
import { cloneMap, isMap, isNilOrEmpty, stringValue, type Value, type ValueMap } from '../value.ts'
import { applyJsonPatch, type JsonPatchOperation } from './json-patch.ts'

/** Lays a strategic-merge patch over a resource. Its name, kind and namespace stay, unless the patch may change them. */
export function mergePatch(resource: Resource, patch: Resource, schemas: Schemas): void {
  const { name, namespace, kind } = resource
  if (patch.allowNameChange || patch.allowKindChange) resource.storePreviousId()
  const merged = within({ file: patch.source.file, line: patch.source.line }, () =>
    strategicMerge(resource.object, cloneMap(patch.object), { schemas, schema: undefined, path: [] }),
  )
  resource.object = isMap(merged) ? merged : {}
  if (isNilOrEmpty(resource.object)) return
  if (!patch.allowKindChange) resource.object.kind = kind
  if (!patch.allowNameChange) resource.setName(name)
  resource.setNamespace(namespace)
}

/** The patch as it fits one target: its labels and annotations become strings, its version that of the target. */
export function patchFor(resource: Resource, patch: Resource): Resource {
  const copy = patch.copy()
  copy.setMetaMap('labels', patch.labels)
  copy.setMetaMap('annotations', patch.annotations)
  copy.setName(patch.name)
  copy.setNamespace(patch.namespace)
  copy.object.apiVersion = resource.apiVersion
  return copy
}

export function applyOperations(resource: Resource, operations: JsonPatchOperation[]): void {
  const object = plainValue(resource.object) as { [key: string]: Json }
  // kustomize holds its notes in annotations, so a patch may count on that map.
  if (resource.hasBuildNotes()) ensureAnnotations(object)
  within({ ...resource.source, field: describeId(resource.id) }, () => applyJsonPatch(object, operations))
  resource.object = styled(object)
}

function ensureAnnotations(object: { [key: string]: Json }): void {
  const metadata = object.metadata
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return
  metadata.annotations ??= {}
}

/** Strings in the style in which they would be written. */
function styled(map: { [key: string]: Json }): ValueMap {
  const result: ValueMap = {}
  for (const key in map) result[key] = styledValue(map[key] ?? null)
  return result
}

function styledValue(value: Json): Value {
  if (typeof value === 'string')
    return value.includes('\n') ? new SourceScalar(value, value, true) : stringValue(value)
  if (Array.isArray(value)) return value.map(styledValue)
  return typeof value === 'object' && value !== null ? styled(value) : value
}
