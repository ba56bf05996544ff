import {
  type GitRepository,
  KUSTOMIZATION,
  type Kustomization,
  OWNER_NAME_LABEL,
  OWNER_NAMESPACE_LABEL,
} from '@setpoint/contracts'
import type { KindRef, KubeClient } from '@setpoint/kube'
import { gvkOf, inventoryId, type KubeObject, type ObjectRef, refOf } from '@setpoint/manifest'

/** How far ownerReferences are followed: Pod, ReplicaSet, Deployment, a custom resource … */
const MOST_OWNERS = 10

/** Where an object comes from. */
export interface Trace {
  /** The object that was asked for. */
  object: ObjectRef
  /** Its owners, nearest first, up to the one that a Kustomization applied. */
  owners: ObjectRef[]
  /** The labels that name the Kustomization; absent when no Kustomization applied it. */
  owner?: { namespace: string; name: string }
  /** Absent when it does not exist (any more). */
  kustomization?: Kustomization
  /** The Kustomization lists the object in its inventory. */
  inInventory?: boolean
  /** Absent when it does not exist, or is of a kind that the cluster does not serve. */
  source?: KubeObject
}

/** Follows an object to its Kustomization and its source. */
export async function traceObject(kube: KubeClient, object: KubeObject): Promise<Trace> {
  const { owners, managed } = await followOwners(kube, object)
  const trace: Trace = { object: refOf(object), owners: owners.map(refOf) }
  const owner = managed === undefined ? undefined : ownerOf(managed)
  if (managed === undefined || owner === undefined) return trace
  trace.owner = owner
  const kustomization = (await kube.get(KUSTOMIZATION, owner)) as Kustomization | undefined
  if (kustomization === undefined) return trace
  trace.kustomization = kustomization
  trace.inInventory = lists(kustomization, refOf(managed))
  const source = await sourceOf(kube, kustomization)
  if (source !== undefined) trace.source = source
  return trace
}

/** The Kustomization that an object's labels name. */
export function ownerOf({ metadata }: KubeObject): { namespace: string; name: string } | undefined {
  const name = metadata.labels?.[OWNER_NAME_LABEL]
  const namespace = metadata.labels?.[OWNER_NAMESPACE_LABEL]
  return name === undefined || namespace === undefined ? undefined : { namespace, name }
}

async function followOwners(
  kube: KubeClient,
  object: KubeObject,
): Promise<{ owners: KubeObject[]; managed: KubeObject | undefined }> {
  const owners: KubeObject[] = []
  let current: KubeObject | undefined = object
  while (current !== undefined && owners.length < MOST_OWNERS) {
    // Controllers copy labels to what they make, so a Pod's labels are not proof; its topmost owner's are.
    const next: KubeObject | undefined = await controllerOf(kube, current)
    if (next === undefined) return { owners, managed: ownerOf(current) === undefined ? undefined : current }
    owners.push(next)
    current = next
  }
  return { owners, managed: undefined }
}

async function controllerOf(kube: KubeClient, object: KubeObject): Promise<KubeObject | undefined> {
  const references = object.metadata.ownerReferences ?? []
  const reference = references.find(({ controller }) => controller) ?? references[0]
  if (reference === undefined) return undefined
  const kind = gvkOf(reference)
  const { namespaced } = await kube.resource(kind)
  return kube.get(kind, {
    name: reference.name,
    ...(namespaced ? { namespace: object.metadata.namespace } : {}),
  })
}

function lists(kustomization: Kustomization, ref: ObjectRef): boolean {
  const entries = kustomization.status?.inventory?.entries ?? []
  return entries.some(({ id }) => id === inventoryId(ref))
}

/** The source of a Kustomization; undefined when it, or its kind, does not exist. */
export async function sourceOf(
  kube: KubeClient,
  { metadata, spec }: Kustomization,
): Promise<KubeObject | undefined> {
  const { kind, name, namespace } = spec.sourceRef
  const ref: KindRef = { group: 'source.toolkit.fluxcd.io', kind }
  try {
    return await kube.get(ref, { namespace: namespace ?? metadata.namespace, name })
  } catch (error) {
    if (error instanceof Error && error.name === 'NoMatchError') return undefined
    throw error
  }
}

/** The revision that a source holds. */
export function heldRevision(source: KubeObject | undefined): string {
  return (source as GitRepository | undefined)?.status?.artifact?.revision ?? ''
}
