import { APPLY_FIELD_MANAGER } from '@setpoint/contracts'
import type { JsonPatchOperation } from '@setpoint/kube'
import type { JsonObject, KubeObject, ManagedFieldsEntry } from '@setpoint/manifest'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * The patch that makes us the owner of what kubectl, or we ourselves before server-side apply, have set on an object,
 * so that applying takes away what is not in Git. Undefined when there is nothing to take over.
 * The patch holds the resource version: it fails when the object has changed since.
 * others: beginnings of the names of further managers whose fields become ours.
 */
export function takeOverPatch(
  live: KubeObject,
  others: readonly string[] = [],
): JsonPatchOperation[] | undefined {
  const isTaken = (entry: ManagedFieldsEntry) => isTakenOver(entry, others)
  const { managedFields = [], resourceVersion } = live.metadata
  const foreign = managedFields.filter(isTaken)
  const hasLastApplied = live.metadata.annotations?.[LAST_APPLIED] !== undefined
  if (foreign.length === 0 && !hasLastApplied) return undefined
  const patch: JsonPatchOperation[] = []
  if (foreign.length > 0)
    patch.push({ op: 'replace', path: '/metadata/managedFields', value: merged(managedFields, isTaken) })
  if (hasLastApplied)
    patch.push({ op: 'remove', path: `/metadata/annotations/${LAST_APPLIED.replace('/', '~1')}` })
  return [...patch, { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion }]
}

/** Fields set by `kubectl apply`, `edit`, `scale` …, and those from before an object was applied server-side. */
function isTakenOver(entry: ManagedFieldsEntry, others: readonly string[]): boolean {
  const { manager = '', operation, subresource } = entry
  if (subresource !== undefined && subresource !== '') return false
  if (['kubectl', ...others].some((name) => manager.startsWith(name))) return true
  return operation === 'Update' && (manager === 'before-first-apply' || manager === APPLY_FIELD_MANAGER)
}

function isOurs(entry: ManagedFieldsEntry): boolean {
  return entry.manager === APPLY_FIELD_MANAGER && entry.operation === 'Apply' && !entry.subresource
}

function merged(
  entries: readonly ManagedFieldsEntry[],
  isTaken: (entry: ManagedFieldsEntry) => boolean,
): ManagedFieldsEntry[] {
  const taken = entries.filter((entry) => isOurs(entry) || isTaken(entry))
  const base = taken.find(isOurs) ?? taken[0] ?? {}
  const fieldsV1 = taken.reduce<JsonObject>((all, entry) => union(all, entry.fieldsV1 ?? {}), {})
  const ours: ManagedFieldsEntry = { ...base, manager: APPLY_FIELD_MANAGER, operation: 'Apply', fieldsV1 }
  return [...entries.filter((entry) => !taken.includes(entry)), ours]
}

/** Both sets of fields. A set is a tree of `f:<field>`, `k:<key>` and `v:<value>`. */
function union(a: JsonObject, b: JsonObject): JsonObject {
  const both: JsonObject = { ...a }
  for (const [key, value] of Object.entries(b)) both[key] = union(asObject(a[key]), asObject(value))
  return both
}

function asObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}
