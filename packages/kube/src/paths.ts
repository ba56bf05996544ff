import { describeRef, type KubeObject, refOf } from '@setpoint/manifest'
import type { ObjectKey, ResourceInfo } from './client-types.ts'
import { KubeApiError } from './errors.ts'

/** The path of all objects of a kind, in one namespace or in all. */
export function collectionPath(info: ResourceInfo, namespace?: string): string {
  const root = info.group === '' ? `/api/${info.version}` : `/apis/${info.group}/${info.version}`
  const scope = info.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${scope}/${info.plural}`
}

/**
 * The path of one object.
 * @throws KubeApiError (400) when the kind is namespaced and no namespace is given
 */
export function objectPath(info: ResourceInfo, key: ObjectKey, subresource?: string): string {
  requireNamespace(info, key)
  if (key.name === '') throw badRequest(`${info.kind}: the object has no name`)
  const suffix = subresource ? `/${subresource}` : ''
  return `${collectionPath(info, key.namespace)}/${encodeURIComponent(key.name)}${suffix}`
}

/** The path to create an object at. */
export function creationPath(info: ResourceInfo, object: KubeObject): string {
  requireNamespace(info, object.metadata, () => describeRef(refOf(object)))
  return collectionPath(info, object.metadata.namespace)
}

function requireNamespace(
  info: ResourceInfo,
  key: ObjectKey,
  describe = () => `${info.kind}/${key.name}`,
): void {
  if (info.namespaced && !key.namespace) {
    throw badRequest(`${describe()}: ${info.kind} is namespaced, but the object has no namespace`)
  }
}

function badRequest(message: string): KubeApiError {
  return new KubeApiError(message, { code: 400, reason: 'BadRequest' })
}
