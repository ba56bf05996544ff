import { describeRef, type KubeObject } from '@setpoint/manifest'
import type { Target } from '../apply/target.ts'
import { changedFields, fieldName } from './changed-fields.ts'
import { foreignManagerOf } from './field-managers.ts'

/** How one object differs from Git, and by whom. No value is in it. */
export interface DriftReport {
  /** Such as `Deployment/prod/web`. */
  object: string
  /** Digest of what is wanted. */
  hash: string
  /** The fields that differ, each with who else has set it; undefined for the object itself, which is gone. */
  fields: { name: string; manager: string | undefined }[] | undefined
}

const MAX_FIELDS = 10

/** What an object that is there differs in. wanted: the answer to a dry run. */
export function reportOf(target: Target, live: KubeObject, wanted: KubeObject): DriftReport {
  const fields = changedFields(live, wanted).map((path) => ({
    name: fieldName(path),
    manager: foreignManagerOf(live, path),
  }))
  return { object: describeRef(target.ref), hash: target.hash, fields }
}

/** What is said of an object that somebody has deleted. */
export function reportOfDeleted(target: Target): DriftReport {
  return { object: describeRef(target.ref), hash: target.hash, fields: undefined }
}

/** What is said of an object that only a deletion would bring back: the API server does not say which field it is. */
export function reportOfImmutable(target: Target): DriftReport {
  const fields = [{ name: 'a field that cannot be changed back', manager: 'somebody' }]
  return { object: describeRef(target.ref), hash: target.hash, fields }
}

/** One line for people. */
export function driftLine({ object, fields }: DriftReport): string {
  if (fields === undefined) return `${object} was deleted`
  if (fields.length === 0) return `${object} has fields that kubectl has set`
  const shown = fields
    .slice(0, MAX_FIELDS)
    .map(({ name, manager }) => `${name} set by ${manager ?? 'itself'}`)
  const left = fields.length - shown.length
  return `${object}: ${shown.join(', ')}${left > 0 ? `, and ${left} more` : ''}`
}
