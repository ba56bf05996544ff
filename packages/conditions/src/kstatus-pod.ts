import type { KubeObject } from '@setpoint/manifest'
import {
  type BasicCondition,
  conditionsOf,
  current,
  failed,
  inProgress,
  MalformedObjectError,
  type ObjectStatus,
  text,
  valueAt,
} from './kstatus-result.ts'

/** How long a Pod may look for a node before that counts as a failure. */
const scheduleWindowMs = 15_000

export function podStatus(pod: KubeObject, nowMs: number | undefined): ObjectStatus {
  const phase = text(pod, 'status.phase') ?? ''
  switch (phase) {
    case '':
      return inProgress('PodNotObserved', 'Pod phase not available')
    case 'Succeeded':
      return current('Pod has completed successfully')
    case 'Failed':
      return current('Pod has completed, but not successfully')
    case 'Running':
      return runningStatus(pod)
    case 'Pending':
      return pendingStatus(pod, nowMs)
    default:
      throw new MalformedObjectError(`unknown phase ${phase}`)
  }
}

function runningStatus(pod: KubeObject): ObjectStatus {
  if (has(pod, { type: 'Ready', status: 'True' })) return current('Pod is Ready')
  const crashing = crashLoopingContainers(pod)
  if (crashing.length > 0) {
    return failed('ContainerCrashLooping', `Containers in CrashLoop state: ${crashing.join(',')}`)
  }
  return inProgress('PodRunningNotReady', 'Pod is running but is not Ready')
}

function pendingStatus(pod: KubeObject, nowMs: number | undefined): ObjectStatus {
  if (!has(pod, { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' })) {
    return inProgress('PodPending', 'Pod is in the Pending phase')
  }
  const created = Date.parse(pod.metadata.creationTimestamp ?? '1970-01-01T00:00:00Z')
  const leftMs = nowMs === undefined ? scheduleWindowMs : created + scheduleWindowMs - nowMs
  if (leftMs <= 0) return failed('PodUnschedulable', 'Pod could not be scheduled')
  return { ...inProgress('PodNotScheduled', 'Pod has not been scheduled'), recheckAfterMs: leftMs }
}

function has(pod: KubeObject, wanted: Partial<BasicCondition>): boolean {
  return conditionsOf(pod).some(
    ({ type, status, reason }) =>
      type === wanted.type && status === wanted.status && reason === (wanted.reason ?? reason),
  )
}

function crashLoopingContainers(pod: KubeObject): string[] {
  const containers = valueAt(pod, 'status.containerStatuses')
  return (Array.isArray(containers) ? containers : [])
    .filter((container) => text(container, 'state.waiting.reason') === 'CrashLoopBackOff')
    .flatMap((container) => text(container, 'name') ?? [])
}
