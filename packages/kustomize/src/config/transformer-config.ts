import { BuildError } from '../build-error.ts'
import type { FieldSpec } from '../fields/field-spec.ts'
import { type Gvk, isSelected } from '../resource/id.ts'
import { compareByKind } from '../transformers/sort-order.ts'

/** Which fields hold the names of objects of one type. */
export interface NameReference extends Partial<Gvk> {
  fieldSpecs: FieldSpec[]
}

export interface TransformerConfig {
  namePrefix: FieldSpec[]
  nameSuffix: FieldSpec[]
  namespace: FieldSpec[]
  commonLabels: FieldSpec[]
  labels: FieldSpec[]
  templateLabels: FieldSpec[]
  commonAnnotations: FieldSpec[]
  nameReference: NameReference[]
  varReference: FieldSpec[]
  images: FieldSpec[]
  replicas: FieldSpec[]
}

export function emptyConfig(): TransformerConfig {
  return {
    namePrefix: [],
    nameSuffix: [],
    namespace: [],
    commonLabels: [],
    labels: [],
    templateLabels: [],
    commonAnnotations: [],
    nameReference: [],
    varReference: [],
    images: [],
    replicas: [],
  }
}

type SpecField = Exclude<keyof TransformerConfig, 'nameReference'>
const specFields = Object.keys(emptyConfig()).filter((name): name is SpecField => name !== 'nameReference')

/** In the order in which kustomize merges: by kind. It matters, for a spec can stand for one that comes later. */
export function sortConfig(config: TransformerConfig): TransformerConfig {
  const result = emptyConfig()
  for (const field of specFields) result[field] = sorted(config[field])
  result.nameReference = sorted(config.nameReference)
  return result
}

/** The union of both. What both name must be the same. */
export function mergeConfig(left: TransformerConfig, right: TransformerConfig): TransformerConfig {
  if (left === right) return left
  const merged = emptyConfig()
  for (const field of specFields) merged[field] = sorted(mergeSpecs(left[field], right[field], field))
  merged.nameReference = sorted(right.nameReference.reduce(addReference, left.nameReference))
  return merged
}

/** Adds the specs that are not there yet. */
export function mergeSpecs(left: FieldSpec[], right: FieldSpec[], field: string): FieldSpec[] {
  if (left === right) return left
  const byPath = Map.groupBy(left, (spec) => spec.path)
  const merged = [...left]
  for (const spec of right) {
    const same = byPath.get(spec.path)?.find((other) => isSelected(gvkOf(other), spec))
    if (same === undefined) {
      merged.push(spec)
      byPath.set(spec.path, [...(byPath.get(spec.path) ?? []), spec])
    } else if ((same.create ?? false) !== (spec.create ?? false)) {
      throw new BuildError(
        'conflict',
        `conflicting fieldspecs: '${spec.path}' is there with and without create`,
        { field },
      )
    }
  }
  return merged
}

export function addReference(references: NameReference[], added: NameReference): NameReference[] {
  const at = references.findIndex((reference) => isSameType(reference, added))
  if (at < 0) return [...references, added]
  return references.map((reference, index) =>
    index === at
      ? { ...reference, fieldSpecs: mergeSpecs(reference.fieldSpecs, added.fieldSpecs, 'nameReference') }
      : reference,
  )
}

function isSameType(left: Partial<Gvk>, right: Partial<Gvk>): boolean {
  const [a, b] = [gvkOf(left), gvkOf(right)]
  return a.group === b.group && a.version === b.version && a.kind === b.kind
}

export function gvkOf(spec: Partial<Gvk>): Gvk {
  return { group: spec.group ?? '', version: spec.version ?? '', kind: spec.kind ?? '' }
}

function sorted<Spec extends Partial<Gvk>>(specs: Spec[]): Spec[] {
  return [...specs].sort((a, b) => compareByKind(gvkOf(a), gvkOf(b)))
}
