import { isDeepStrictEqual } from 'node:util'
import { APPLY_FIELD_MANAGER } from '@setpoint/contracts'
import type { KubeObject, ManagedFieldsEntry } from '@setpoint/manifest'
import type { FieldPath } from './changed-fields.ts'

/**
 * Who else has set a field of a live object, by its managed fields: the latest of them. Undefined when we alone own it, so
 * that its value is what we applied. For a field that was taken away: who wrote to the object last.
 */
export function foreignManagerOf(live: KubeObject, path: FieldPath): string | undefined {
  const entries = (live.metadata.managedFields ?? []).filter(({ subresource }) => subresource !== 'status')
  const owners = entries.filter((entry) => owns(entry, live, path))
  const foreign = latest(owners.filter((entry) => !isOurs(entry)))
  if (foreign !== undefined) return foreign.manager ?? 'unknown'
  if (owners.length > 0) return undefined
  return latest(entries.filter((entry) => !isOurs(entry)))?.manager ?? 'unknown'
}

function isOurs({ manager, operation }: ManagedFieldsEntry): boolean {
  return manager === APPLY_FIELD_MANAGER && operation === 'Apply'
}

function latest(entries: readonly ManagedFieldsEntry[]): ManagedFieldsEntry | undefined {
  return [...entries].sort((a, b) => timeOf(a) - timeOf(b)).at(-1)
}

function timeOf({ time }: ManagedFieldsEntry): number {
  return Date.parse(time ?? '') || 0
}

type FieldSet = Record<string, unknown>

/** A set of fields is a tree of `f:<name>`, `k:<keys of a list item>` and `v:<value>`; a leaf owns all that is below it. */
function owns({ fieldsV1 }: ManagedFieldsEntry, live: KubeObject, path: FieldPath): boolean {
  let fields: FieldSet = fieldsV1 ?? {}
  let value: unknown = live
  for (const segment of path) {
    if (Object.keys(fields).filter((key) => key !== '.').length === 0) return value !== live
    value = (value as Record<string | number, unknown> | undefined)?.[segment]
    const key = typeof segment === 'number' ? itemKey(fields, value) : `f:${segment}`
    if (key === undefined || !(key in fields)) return false
    fields = (fields[key] ?? {}) as FieldSet
  }
  return true
}

/** The key under which an item of a list is found. */
function itemKey(fields: FieldSet, item: unknown): string | undefined {
  return Object.keys(fields).find((key) => {
    if (key.startsWith('v:')) return isDeepStrictEqual(JSON.parse(key.slice(2)), item)
    if (!key.startsWith('k:') || typeof item !== 'object' || item === null) return false
    const wanted = JSON.parse(key.slice(2)) as Record<string, unknown>
    return Object.entries(wanted).every(([name, value]) => (item as Record<string, unknown>)[name] === value)
  })
}
