import { type KubeObject, parseApiVersion } from '@setpoint/manifest'
import { builtInStatus } from './kstatus-kinds.ts'
import {
  conditionsOf,
  current,
  failed,
  inProgress,
  integer,
  MalformedObjectError,
  type ObjectStatus,
} from './kstatus-result.ts'
import { jobStatus } from './kstatus-workloads.ts'

export type { HealthStatus, ObjectStatus } from './kstatus-result.ts'

export interface ComputeStatusOptions {
  /**
   * Milliseconds since the epoch. A Pod that can't be scheduled is in progress for its first 15 s and failed after that;
   * without the time it stays in progress.
   */
  nowMs?: number
}

/**
 * How well an object is, by the rules of kstatus as Flux applies them. In this order: deletion, observedGeneration,
 * the conditions Reconciling and Stalled, the rules of the built-in kinds, the condition Ready; an object about which
 * none of these says anything is Current.
 *
 * A Job is Current when it is complete or suspended (kstatus alone takes a running Job for Current; Flux does not).
 * An object that is not as its API describes it is Unknown, with the field in the message. Never throws.
 */
export function computeStatus(object: KubeObject, options: ComputeStatusOptions = {}): ObjectStatus {
  try {
    return statusOf(object, options.nowMs)
  } catch (error) {
    if (error instanceof MalformedObjectError) return { status: 'Unknown', message: error.message }
    throw error
  }
}

function statusOf(object: KubeObject, nowMs: number | undefined): ObjectStatus {
  const { group } = parseApiVersion(object.apiVersion)
  // Flux puts its own rule in the place of all others here: a Job that is done stays well while it is cleaned up.
  if (group === 'batch' && object.kind === 'Job') return jobStatus(object)
  return (
    generalStatus(object) ??
    builtInStatus(group, object, nowMs) ??
    readyStatus(object) ??
    current('Resource is current')
  )
}

/** What holds for every kind. */
function generalStatus(object: KubeObject): ObjectStatus | undefined {
  if (object.metadata.deletionTimestamp) {
    return { status: 'Terminating', message: 'Resource scheduled for deletion' }
  }
  return generationStatus(object) ?? abnormalStatus(object)
}

/** Kinds whose status has no observedGeneration can't be judged by it. */
function generationStatus(object: KubeObject): ObjectStatus | undefined {
  const generation = integer(object, 'metadata.generation')
  const observed = integer(object, 'status.observedGeneration')
  if (generation === undefined || observed === undefined || generation === observed) return undefined
  const message = `${object.kind} generation is ${generation}, but latest observed generation is ${observed}`
  return inProgress('LatestGenerationNotObserved', message)
}

/** The conditions of the "abnormal is True" convention; the first that is True decides. */
function abnormalStatus(object: KubeObject): ObjectStatus | undefined {
  for (const { type, status, reason, message } of conditionsOf(object)) {
    if (status !== 'True') continue
    if (type === 'Reconciling') return inProgress(reason, message)
    if (type === 'Stalled') return failed(reason, message)
  }
  return undefined
}

/** Whether Ready=False will ever change is not known, so it counts as in progress. */
function readyStatus(object: KubeObject): ObjectStatus | undefined {
  for (const { type, status, reason, message } of conditionsOf(object)) {
    if (type !== 'Ready') continue
    if (status === 'True') return { status: 'Current', message: 'Resource is Ready' }
    if (status === 'False' || status === 'Unknown') return inProgress(reason, message)
  }
  return undefined
}
