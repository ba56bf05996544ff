import type { ManagedFieldsEntry, ObjectMeta } from '@setpoint/manifest'
import { shortHash } from '../plan/hash.ts'

/**
 * Short digest of who has set what on an object. It changes when somebody edits the object, and stays when a controller
 * writes its status: a changed value moves its field to another manager, or moves that manager's time.
 */
export function fingerprintOf(metadata: ObjectMeta): string {
  const { uid, generation, resourceVersion, deletionTimestamp, managedFields = [] } = metadata
  // Managers have times of whole seconds: without a generation, two edits of one within a second look the same.
  const version = generation ?? resourceVersion
  return shortHash(JSON.stringify([uid, version, deletionTimestamp, managedFields.filter(isNoStatus)]))
}

function isNoStatus(entry: ManagedFieldsEntry): boolean {
  return entry.subresource !== 'status'
}

/** Negative when a is older. Resource versions of the API server are numbers that grow. */
export function compareVersions(a: string | undefined, b: string | undefined): number {
  return Number(a ?? 0) - Number(b ?? 0)
}
