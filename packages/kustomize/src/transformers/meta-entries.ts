import { BuildError } from '../build-error.ts'
import { type FieldSpec, visitFields } from '../fields/field-spec.ts'
import type { ResourceList } from '../resource/resource-list.ts'
import { isMap, isMissingOrNull, stringValue, type Value } from '../value.ts'

/** Sets labels or annotations in the fields of the specs. */
export function setEntries(list: ResourceList, entries: Record<string, string>, specs: FieldSpec[]): void {
  const pairs = Object.entries(entries)
  if (pairs.length === 0) return
  const change = (value: Value | undefined) => withEntries(value, pairs)
  for (const resource of list.items) {
    for (const spec of specs) visitFields(resource, spec, { createKind: 'map', change })
  }
}

function withEntries(value: Value | undefined, pairs: [string, string][]): Value {
  if (isMissingOrNull(value)) return value ?? null
  if (!isMap(value)) throw new BuildError('bad-value', 'must be a map of labels or annotations')
  for (const [key, text] of pairs) value[key] = stringValue(text)
  return value
}
