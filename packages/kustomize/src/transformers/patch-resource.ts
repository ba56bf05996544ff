import { type Json, plainValue, SourceScalar, scalarLines } from '@setpoint/manifest'
import { BuildError, within } from '../build-error.ts'
import type { Schemas } from '../merge/schema.ts'
import { strategicMerge } from '../merge/strategic-merge.ts'
import { describeId } from '../resource/id.ts'
import { originAnnotation, transformationsAnnotation } from '../resource/origin.ts'
import type { Resource } from '../resource/resource.ts'
import { cloneMap, isMap, isNilOrEmpty, textOf, type Value, type ValueMap } from '../value.ts'
import { applyJsonPatch, type JsonPatchOperation } from './json-patch.ts'

/** Lays a strategic-merge patch over a resource. Its name, kind and namespace stay, unless the patch may change them. */
export function mergePatch(resource: Resource, patch: Resource, schemas: Schemas): void {
  const { name, namespace, kind } = resource
  if (patch.allowNameChange || patch.allowKindChange) resource.storePreviousId()
  // kustomize drops the object that such a patch makes, and keeps the old one.
  if (textOf(patch.object.$patch) === 'replace') return
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
  const tracked = trackedNotes(resource)
  if (tracked.length > 0) ensureAnnotations(object)
  const annotations = annotationsOf(object)
  for (const { key } of tracked) if (annotations !== undefined) annotations[key] = key
  within({ ...resource.source, field: describeId(resource.id) }, () => {
    const patched = applyJsonPatch(object, operations)
    if (typeof patched !== 'object' || patched === null || Array.isArray(patched)) {
      throw new BuildError('bad-patch', 'the patch leaves no object')
    }
    const left = annotationsOf(patched)
    for (const { key, forget } of tracked) {
      if (left?.[key] === undefined) forget()
      else delete left[key]
    }
    resource.object = styled(patched)
  })
}

/** kustomize keeps these in annotations, where a patch can remove them. */
function trackedNotes(resource: Resource): { key: string; forget: () => void }[] {
  const notes: { key: string; forget: () => void }[] = []
  if (resource.origin !== undefined) {
    const forget = () => {
      resource.origin = undefined
    }
    notes.push({ key: originAnnotation, forget })
  }
  if (resource.transformations.length > 0) {
    const forget = () => {
      resource.transformations = []
    }
    notes.push({ key: transformationsAnnotation, forget })
  }
  return notes
}

function annotationsOf(object: { [key: string]: Json }): { [key: string]: Json } | undefined {
  const { metadata } = object
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return undefined
  const { annotations } = metadata
  if (typeof annotations !== 'object' || annotations === null || Array.isArray(annotations)) return undefined
  return annotations
}

function ensureAnnotations(object: { [key: string]: Json }): void {
  const metadata = object.metadata
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return
  metadata.annotations ??= {}
}

/** Values with the text and the style in which kustomize would write them, which labels and annotations show. */
function styled(map: { [key: string]: Json }): ValueMap {
  const result: ValueMap = {}
  for (const key in map) result[key] = styledValue(map[key] ?? null)
  return result
}

function styledValue(value: Json): Value {
  if (typeof value === 'string') return isBare(value) ? value : new SourceScalar(value, value, true)
  if (typeof value === 'number') return styledNumber(value)
  if (Array.isArray(value)) return value.map(styledValue)
  return typeof value === 'object' && value !== null ? styled(value) : value
}

/** True for text that is written without quotes. */
function isBare(text: string): boolean {
  return scalarLines(text, { indent: 0, column: 0, isKey: true }) === text
}

/** A million is written 1e+06. */
function styledNumber(value: number): Value {
  if (Math.abs(value) < 1e6) return value
  const [mantissa = '', power = '0'] = value.toExponential().split('e')
  const text = `${mantissa}e+${power.replace('+', '').padStart(2, '0')}`
  return new SourceScalar(text, value, false)
}
