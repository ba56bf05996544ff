import { createHash } from 'node:crypto'
import type { Kustomization } from '@setpoint/contracts'
import { type KubeClient, NoMatchError, type ResourceInfo } from '@setpoint/kube'
import { type InventoryEntry, inventoryId, type ObjectRef, parseInventoryId } from '@setpoint/manifest'

/** An inventory entry that was read. */
export interface InventoryObject {
  entry: InventoryEntry
  ref: ObjectRef
  version: string
}

export function inventoryOf(kustomization: Kustomization): InventoryEntry[] {
  return kustomization.status?.inventory?.entries ?? []
}

/** Every entry of both, by id; the later list wins on the version. Sorted by id. */
export function joinInventories(...lists: readonly (readonly InventoryEntry[])[]): InventoryEntry[] {
  const byId = new Map(lists.flat().map((entry) => [entry.id, entry]))
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}

/** True when the list holds every id of the other. */
export function covers(entries: readonly InventoryEntry[], ids: Iterable<string>): boolean {
  const held = new Set(entries.map((entry) => entry.id))
  for (const id of ids) if (!held.has(id)) return false
  return true
}

/** `sha256:<hex>` over the ids. */
export function inventoryDigest(entries: readonly InventoryEntry[]): string {
  const ids = entries.map((entry) => entry.id).sort()
  return `sha256:${createHash('sha256').update(ids.join('\n')).digest('hex')}`
}

/**
 * Reads an entry, and names the object as the API server does: an entry that was written before its kind was served may
 * hold a namespace that a cluster-scoped object does not have. Undefined when the kind is not served (the object is gone)
 * or the id is not one of ours.
 */
export async function readEntry(
  kube: KubeClient,
  entry: InventoryEntry,
): Promise<InventoryObject | undefined> {
  const ref = readId(entry.id)
  if (ref === undefined) return undefined
  const kind = { group: ref.group, kind: ref.kind }
  const info = (await served(kube, { ...kind, version: entry.v })) ?? (await served(kube, kind))
  if (info === undefined) return undefined
  return { entry, ref: info.namespaced ? ref : { ...ref, namespace: '' }, version: info.version }
}

function readId(id: string): ObjectRef | undefined {
  try {
    return parseInventoryId(id)
  } catch {
    return undefined
  }
}

async function served(
  kube: KubeClient,
  kind: { group: string; version?: string; kind: string },
): Promise<ResourceInfo | undefined> {
  try {
    return await kube.resource(kind)
  } catch (error) {
    if (error instanceof NoMatchError) return undefined
    throw error
  }
}

export function idOf(object: InventoryObject): string {
  return inventoryId(object.ref)
}
