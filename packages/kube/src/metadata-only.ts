import type { KubeObject } from '@setpoint/manifest'
import type { ResourceInfo } from './client-types.ts'

const partial = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
const partialList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'

/** The Accept header for one object, or for its metadata alone. Also for a watch of such. */
export function acceptObject(metadataOnly: boolean | undefined): string {
  return metadataOnly ? partial : 'application/json'
}

export function acceptList(metadataOnly: boolean | undefined): string {
  return metadataOnly ? partialList : 'application/json'
}

/**
 * An answer with its real apiVersion and kind: items of a list have none, and metadata alone comes as
 * PartialObjectMetadata. Changes and returns the object given.
 */
export function asKind(object: KubeObject, info: ResourceInfo): KubeObject {
  if (object.kind === undefined || object.kind === 'PartialObjectMetadata') {
    object.apiVersion = info.group === '' ? info.version : `${info.group}/${info.version}`
    object.kind = info.kind
  }
  return object
}
