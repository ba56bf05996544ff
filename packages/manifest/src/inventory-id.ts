import { type KubeObject, type ObjectRef, parseApiVersion, refOf } from './object.ts'

/** One row of status.inventory.entries: id `<namespace>_<name>_<group>_<kind>`, v the API version. */
export interface InventoryEntry {
  id: string
  v: string
}

/** Flux's inventory id. `:` of RBAC names is written `__`, as cli-utils does. */
export function inventoryId(ref: ObjectRef): string {
  return `${ref.namespace}_${ref.name.replaceAll(':', '__')}_${ref.group}_${ref.kind}`
}

export function inventoryEntry(object: KubeObject): InventoryEntry {
  return { id: inventoryId(refOf(object)), v: parseApiVersion(object.apiVersion).version }
}

/**
 * Reads an inventory id back. Names of most kinds hold no underscore; those of RBAC kinds may hold `__` (a colon).
 * @throws Error when the id has not four parts.
 */
export function parseInventoryId(id: string): ObjectRef {
  const first = id.indexOf('_')
  const last = id.lastIndexOf('_')
  const beforeGroup = id.lastIndexOf('_', last - 1)
  if (first < 0 || beforeGroup <= first)
    throw new Error(`inventory id "${id}" is not <namespace>_<name>_<group>_<kind>`)
  return {
    namespace: id.slice(0, first),
    name: id.slice(first + 1, beforeGroup).replaceAll('__', ':'),
    group: id.slice(beforeGroup + 1, last),
    kind: id.slice(last + 1),
  }
}
