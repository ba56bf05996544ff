/** A value that JSON (and so a Kubernetes object) can hold. Integers beyond 2^53 are kept as bigint. */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** Any Kubernetes object: what every manifest has, with the rest untyped. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  [field: string]: unknown
}

export interface ObjectMeta {
  name: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  managedFields?: ManagedFieldsEntry[]
  ownerReferences?: OwnerReference[]
  [field: string]: unknown
}

/** One entry of metadata.managedFields: which manager owns which fields. */
export interface ManagedFieldsEntry {
  manager?: string
  operation?: 'Apply' | 'Update'
  apiVersion?: string
  time?: string
  fieldsType?: string
  fieldsV1?: JsonObject
  subresource?: string
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** Group, version and kind; group is '' for the core group. */
export interface GroupVersionKind {
  group: string
  version: string
  kind: string
}

/** What names one object in a cluster, whatever version it is read at. namespace is '' when cluster-scoped. */
export interface ObjectRef {
  group: string
  kind: string
  namespace: string
  name: string
}

/** `apps/v1` is group apps, version v1; `v1` is the core group. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/')
  if (slash < 0) return { group: '', version: apiVersion }
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

export function gvkOf(object: { apiVersion: string; kind: string }): GroupVersionKind {
  return { ...parseApiVersion(object.apiVersion), kind: object.kind }
}

export function refOf(object: KubeObject): ObjectRef {
  const { group } = parseApiVersion(object.apiVersion)
  const { name, namespace } = object.metadata
  return { group, kind: object.kind, namespace: namespace ?? '', name }
}

/** How Flux names an object in messages and events: `Deployment/prod/web`, `Namespace/prod`. */
export function describeRef(ref: ObjectRef): string {
  return ref.namespace === '' ? `${ref.kind}/${ref.name}` : `${ref.kind}/${ref.namespace}/${ref.name}`
}
