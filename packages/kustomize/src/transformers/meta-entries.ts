import type { SourceScalar } from '@setpoint/manifest'
import { addedKey } from '../added-key.ts'
import { BuildError } from '../build-error.ts'
import { type FieldSpec, visitFields } from '../fields/field-spec.ts'
import type { ResourceList } from '../resource/resource-list.ts'
import { addShared, sharedText, writeField } from '../shared-scalar.ts'
import { fieldOf, isMap, isMissingOrNull, stringValue, type Value } from '../value.ts'

/** Sets labels or annotations in the fields of the specs. */
export function setEntries(list: ResourceList, entries: Record<string, string>, specs: FieldSpec[]): void {
  const pairs = Object.entries(entries)
  if (pairs.length === 0) return
  for (const [key] of pairs) if (key === '') throw new BuildError('bad-value', 'a key must not be empty')
  for (const resource of list.items) {
    const shared = pairs.map(([key, text]): [string, SourceScalar] => [key, sharedText(text)])
    const change = (value: Value | undefined) => withEntries(value, shared)
    for (const spec of specs) visitFields(resource, spec, { createKind: 'map', change })
  }
}

function withEntries(value: Value | undefined, pairs: [string, SourceScalar][]): Value {
  if (isMissingOrNull(value)) return value ?? null
  if (!isMap(value)) throw new BuildError('bad-value', 'must be a map of labels or annotations')
  for (const [key, scalar] of pairs) {
    if (fieldOf(value, key) === undefined) addShared(value, addedKey(key), scalar)
    else writeField(value, key, stringValue(scalar.text))
  }
  return value
}
