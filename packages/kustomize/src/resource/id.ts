import type { Scopes } from '../merge/schema.ts'

export interface Gvk {
  group: string
  version: string
  kind: string
}

/** What names a resource during a build. */
export interface ResourceId extends Gvk {
  name: string
  namespace: string
  clusterScoped: boolean
}

/** Stands for the namespace of an object that has none. */
export const noNamespace = '_non_namespaceable_'

export function parseGroupVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/')
  if (slash < 0) return { group: '', version: apiVersion }
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

function apiVersionOf(gvk: Gvk): string {
  return gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`
}

export function isClusterScoped(gvk: Gvk, scopes: Scopes): boolean {
  return scopes.isCertainlyClusterScoped(apiVersionOf(gvk), gvk.kind)
}

export function effectiveNamespace(id: ResourceId): string {
  if (id.clusterScoped) return noNamespace
  return id.namespace === '' ? 'default' : id.namespace
}

export function sameGvk(left: Gvk, right: Gvk): boolean {
  return left.kind === right.kind && left.group === right.group && left.version === right.version
}

function sameNamespace(left: ResourceId, right: ResourceId): boolean {
  return effectiveNamespace(left) === effectiveNamespace(right)
}

export function sameId(left: ResourceId, right: ResourceId): boolean {
  return left.name === right.name && sameGvk(left, right) && sameNamespace(left, right)
}

/** True when every part that the selector names is the same; an empty part selects all. */
export function isSelected(gvk: Gvk, selector: Partial<Gvk>): boolean {
  if (selector.kind !== undefined && selector.kind !== '' && selector.kind !== gvk.kind) return false
  if (selector.group !== undefined && selector.group !== '' && selector.group !== gvk.group) return false
  return selector.version === undefined || selector.version === '' || selector.version === gvk.version
}

/** As kustomize writes an id: `Deployment.v1.apps/web.prod`. */
export function describeId(id: ResourceId): string {
  return `${describeGvk(id)}/${id.name || '[noName]'}.${id.namespace || '[noNs]'}`
}

export function describeGvk(gvk: Gvk): string {
  return `${gvk.kind || '[noKind]'}.${gvk.version || '[noVer]'}.${gvk.group || '[noGrp]'}`
}
