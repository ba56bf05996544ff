import { type KubeClient, NoMatchError } from '@setpoint/kube'
import {
  gvkOf,
  type InventoryEntry,
  inventoryId,
  type KubeObject,
  type ObjectRef,
  refOf,
} from '@setpoint/manifest'
import { ReconcileError } from '@setpoint/reconcile'
import { desiredHash } from '../plan/hash.ts'

/** One object of a set, named as the API server names it. */
export interface Target {
  object: KubeObject
  ref: ObjectRef
  id: string
  version: string
  /** Digest of the desired object. */
  hash: string
}

/**
 * Finds out how the API server serves an object: a cluster-scoped one loses a namespace that a build has put in.
 * @throws NoMatchError when its kind is not served (yet), ReconcileError when it needs a namespace and has none.
 */
export async function resolveTarget(kube: KubeClient, object: KubeObject): Promise<Target> {
  const { namespaced } = await kube.resource(gvkOf(object))
  if (!namespaced) return targetOf(withoutNamespace(object))
  if (object.metadata.namespace) return targetOf(object)
  throw new ReconcileError(
    'ReconciliationFailed',
    `${object.kind}/${object.metadata.name} namespace not specified: set metadata.namespace, or spec.targetNamespace of the Kustomization`,
  )
}

/** As resolveTarget, but takes the manifest's word where the API server's cannot be had (yet). */
export async function guessTarget(kube: KubeClient, object: KubeObject): Promise<Target> {
  try {
    return await resolveTarget(kube, object)
  } catch (error) {
    if (error instanceof NoMatchError || error instanceof ReconcileError) return targetOf(object)
    throw error
  }
}

export function entryOf(target: Pick<Target, 'id' | 'version'>): InventoryEntry {
  return { id: target.id, v: target.version }
}

function targetOf(object: KubeObject): Target {
  const ref = refOf(object)
  return { object, ref, id: inventoryId(ref), version: gvkOf(object).version, hash: desiredHash(object) }
}

function withoutNamespace(object: KubeObject): KubeObject {
  if (object.metadata.namespace === undefined) return object
  const { namespace: _namespace, ...metadata } = object.metadata
  return { ...object, metadata: metadata as KubeObject['metadata'] }
}
