import type { KubeObject } from '@setpoint/manifest'

/** NotFound is for callers that know that an object is absent; it is never computed. */
export type HealthStatus = 'Current' | 'InProgress' | 'Failed' | 'Terminating' | 'NotFound' | 'Unknown'

/** How well one object is. */
export interface ObjectStatus {
  status: HealthStatus
  /** One word, as in a condition; '' or absent when there is none to give. */
  reason?: string
  message: string
  /** The status changes by time alone: compute it again after this many ms, even when the object does not change. */
  recheckAfterMs?: number
}

/** A field has another type than the API gives it. */
export class MalformedObjectError extends Error {
  override readonly name = 'MalformedObjectError'
}

/** The part of a condition that health depends on. */
export interface BasicCondition {
  type: string
  status: string
  reason: string
  message: string
}

export function current(message: string): ObjectStatus {
  return { status: 'Current', message }
}

export function inProgress(reason: string, message: string): ObjectStatus {
  return { status: 'InProgress', reason, message }
}

export function failed(reason: string, message: string): ObjectStatus {
  return { status: 'Failed', reason, message }
}

/** status.conditions; empty when there are none. */
export function conditionsOf(object: KubeObject): BasicCondition[] {
  const conditions = valueAt(object, 'status.conditions') ?? []
  if (!Array.isArray(conditions)) throw new MalformedObjectError('status.conditions is not a list')
  return conditions.map((condition: unknown) => ({
    type: text(condition, 'type') ?? '',
    status: text(condition, 'status') ?? '',
    reason: text(condition, 'reason') ?? '',
    message: text(condition, 'message') ?? '',
  }))
}

/** The text at a dotted path; undefined when it is absent or something else. */
export function text(value: unknown, path: string): string | undefined {
  const found = valueAt(value, path)
  return typeof found === 'string' ? found : undefined
}

/** The whole number at a dotted path; undefined when it is absent or something else. */
export function integer(value: unknown, path: string): number | undefined {
  const found = valueAt(value, path)
  return typeof found === 'number' && Number.isInteger(found) ? found : undefined
}

export function valueAt(value: unknown, path: string): unknown {
  let found = value
  for (const field of path.split('.')) {
    if (typeof found !== 'object' || found === null) return undefined
    found = (found as Record<string, unknown>)[field]
  }
  return found
}
