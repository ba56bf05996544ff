import { findCondition } from '@setpoint/conditions'
import {
  type Condition,
  type ImagePolicy,
  type ImageRepository,
  type ImageUpdateAutomation,
  type Kustomization,
  SOURCE_GROUP,
  type SourceObject,
} from '@setpoint/contracts'
import type { KubeClient } from '@setpoint/kube'
import type { KubeObject } from '@setpoint/manifest'
import { CommandError } from '../errors.ts'
import type { ManagedKind } from './kinds.ts'

/** An object of a kind that Setpoint knows, as far as all are alike. */
export interface ManagedObject extends KubeObject {
  spec: { suspend?: boolean; interval?: string }
  status?: {
    conditions?: Condition[]
    observedGeneration?: number
    lastHandledReconcileAt?: string
  }
}

/** @throws CommandError saying where it was looked for when it is not there. */
export async function getManaged(
  kube: KubeClient,
  kind: ManagedKind,
  key: { namespace: string; name: string },
): Promise<ManagedObject> {
  const object = await kube.get(kind.ref, key)
  if (object === undefined)
    throw new CommandError(
      `${kind.singular} "${key.name}" not found in namespace "${key.namespace}"; --namespace chooses another`,
    )
  return object as ManagedObject
}

/** All of a kind in a namespace, or in all, by namespace and name. */
export async function listManaged(
  kube: KubeClient,
  kind: ManagedKind,
  namespace: string | undefined,
): Promise<ManagedObject[]> {
  const objects = await kube.list(kind.ref, { namespace })
  return (objects as ManagedObject[]).sort((a, b) => compare(sortKey(a), sortKey(b)))
}

export function readyOf(object: ManagedObject): Condition | undefined {
  return findCondition(object.status?.conditions, 'Ready')
}

/** The revision that the object stands at; '' for none yet. */
export function revisionOf(object: ManagedObject): string {
  if (object.apiVersion.startsWith(`${SOURCE_GROUP}/`))
    return (object as unknown as SourceObject).status?.artifact?.revision ?? ''
  if (object.kind === 'ImageRepository') return tagsOf(object as unknown as ImageRepository)
  if (object.kind === 'ImagePolicy') return (object as unknown as ImagePolicy).status?.latestRef?.tag ?? ''
  if (object.kind === 'ImageUpdateAutomation')
    return (object as unknown as ImageUpdateAutomation).status?.lastPushCommit?.slice(0, 8) ?? ''
  return (object as unknown as Kustomization).status?.lastAppliedRevision ?? ''
}

function tagsOf({ status }: ImageRepository): string {
  const count = status?.lastScanResult?.tagCount
  return count === undefined ? '' : `${count} tags`
}

/** `main@sha1:1a2b3c4d…` cut to eight digits, as people compare them. */
export function shortRevision(revision: string): string {
  return revision.replace(/(sha1|sha256):([0-9a-f]{8})[0-9a-f]+/, '$1:$2')
}

const sortKey = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
