import type { HealthStatus } from '@setpoint/conditions'
import type { ObjectRef } from '@setpoint/manifest'

export interface HealthTarget {
  ref: ObjectRef
  version: string
  /** One of our set: its kind is watched anyway. */
  ours: boolean
  /** A vanished Job with ttlSecondsAfterFinished has done its work. */
  mayVanish: boolean
  status: HealthStatus
  message: string
  /** Where it was looked at last. */
  resourceVersion: string
  /** Its status changes by time alone after this long. */
  recheckAfterMs: number | undefined
}

/** A health check under way. No worker is held by it: a change, or the deadline, wakes a run. */
export interface PendingHealth {
  digest: string
  generation: number
  startedAt: number
  /** When the run began that applied what is checked: its duration counts the wait. */
  runStartedAt: number
  deadlineAt: number
  /** By inventory id. */
  targets: Map<string, HealthTarget>
  /** Targets that have changed since they were looked at. */
  dirty: Set<string>
  /** Why it has failed, if it has; a later change may still turn it well. */
  failure: string | undefined
}
