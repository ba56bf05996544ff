import type { KubeObject } from '@setpoint/manifest'
import { type ManagedObject, readyOf } from './managed-object.ts'

/** Why an object does nothing, each with since when: it is suspended, or it fails. */
export function holdUps(object: ManagedObject): string[] {
  const what = `${object.kind.toLowerCase()} "${object.metadata.name}"`
  const ready = readyOf(object)
  const isFailing = ready?.status === 'False'
  return [
    ...(object.spec.suspend ? [`${what} is suspended${suspendedSince(object)}`] : []),
    ...(isFailing
      ? [`${what} is not ready since ${ready.lastTransitionTime}: ${ready.reason}: ${ready.message}`]
      : []),
  ]
}

interface FieldOwner {
  manager?: string
  time?: string
  fieldsV1?: { 'f:spec'?: { 'f:suspend'?: object } }
}

/** Kubernetes notes who set a field last, and when that owner wrote last. */
function suspendedSince({ metadata }: KubeObject): string {
  const owners = (metadata.managedFields ?? []) as FieldOwner[]
  const [owner] = owners
    .filter(({ fieldsV1 }) => fieldsV1?.['f:spec']?.['f:suspend'] !== undefined)
    .sort((a, b) => (b.time ?? '').localeCompare(a.time ?? ''))
  return owner?.time === undefined ? '' : `, by ${owner.manager ?? 'somebody'} since ${owner.time}`
}
