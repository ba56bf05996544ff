import type { KubeObject } from '@setpoint/manifest'
import {
  conditionsOf,
  current,
  failed,
  inProgress,
  integer,
  type ObjectStatus,
  text,
  valueAt,
} from './kstatus-result.ts'

/** What Kubernetes takes for "no deadline": without one the controller sets no Progressing condition. */
const noDeadline = 2 ** 31 - 1

export function deploymentStatus(deployment: KubeObject): ObjectStatus {
  const conditions = conditionsOf(deployment)
  const progressing = conditions.filter(({ type }) => type === 'Progressing')
  if (progressing.some(({ reason }) => reason === 'ProgressDeadlineExceeded')) {
    return failed('ProgressDeadlineExceeded', 'Progress deadline exceeded')
  }
  const wanted = integer(deployment, 'spec.replicas') ?? 1
  const replicas = count(deployment, 'replicas')
  const updated = count(deployment, 'updatedReplicas')
  const available = count(deployment, 'availableReplicas')
  const ready = count(deployment, 'readyReplicas')
  if (wanted > replicas) return inProgress('LessReplicas', `Replicas: ${replicas}/${wanted}`)
  if (wanted > updated) return inProgress('LessUpdated', `Updated: ${updated}/${wanted}`)
  if (replicas > wanted) return inProgress('ExtraPods', `Pending termination: ${replicas - wanted}`)
  if (updated > available) return inProgress('LessAvailable', `Available: ${available}/${updated}`)
  if (wanted > ready) return inProgress('LessReady', `Ready: ${ready}/${wanted}`)

  const hasDeadline = (integer(deployment, 'spec.progressDeadlineSeconds') ?? noDeadline) !== noDeadline
  const rolledOut = progressing.some(
    ({ status, reason }) => status === 'True' && reason === 'NewReplicaSetAvailable',
  )
  if (hasDeadline && !rolledOut) return inProgress('ReplicaSetNotAvailable', 'ReplicaSet not Available')
  if (!conditions.some(({ type, status }) => type === 'Available' && status === 'True')) {
    return inProgress('DeploymentNotAvailable', 'Deployment not Available')
  }
  return current(`Deployment is available. Replicas: ${replicas}`)
}

export function replicaSetStatus(replicaSet: KubeObject): ObjectStatus {
  if (conditionsOf(replicaSet).some(({ type, status }) => type === 'ReplicaFailure' && status === 'True')) {
    return inProgress('ReplicaFailure', 'Replica Failure condition. Check Pods')
  }
  const wanted = integer(replicaSet, 'spec.replicas') ?? 1
  const labelled = count(replicaSet, 'fullyLabeledReplicas')
  const available = count(replicaSet, 'availableReplicas')
  const ready = count(replicaSet, 'readyReplicas')
  const replicas = count(replicaSet, 'replicas')
  if (wanted > labelled) return inProgress('LessLabelled', `Labelled: ${labelled}/${wanted}`)
  if (wanted > available) return inProgress('LessAvailable', `Available: ${available}/${wanted}`)
  if (wanted > ready) return inProgress('LessReady', `Ready: ${ready}/${wanted}`)
  if (replicas > wanted) return inProgress('ExtraPods', `Pending termination: ${replicas - wanted}`)
  return current(`ReplicaSet is available. Replicas: ${replicas}`)
}

/** Its controller sets no conditions; a rollout that failed can't be told from a slow one. */
export function statefulSetStatus(set: KubeObject): ObjectStatus {
  if (text(set, 'spec.updateStrategy.type') === 'OnDelete') {
    return current('StatefulSet is using the ondelete update strategy')
  }
  const wanted = integer(set, 'spec.replicas') ?? 1
  const replicas = count(set, 'replicas')
  const ready = count(set, 'readyReplicas')
  if (wanted > replicas) return inProgress('LessReplicas', `Replicas: ${replicas}/${wanted}`)
  if (wanted > ready) return inProgress('LessReady', `Ready: ${ready}/${wanted}`)
  if (replicas > wanted) return inProgress('ExtraPods', `Pending termination: ${replicas - wanted}`)
  const partition = integer(set, 'spec.updateStrategy.rollingUpdate.partition')
  return partition === undefined
    ? fullRolloutStatus(set, wanted, replicas)
    : partitionStatus(set, wanted - partition)
}

function fullRolloutStatus(set: KubeObject, wanted: number, replicas: number): ObjectStatus {
  const currentReplicas = count(set, 'currentReplicas')
  if (wanted > currentReplicas) return inProgress('LessCurrent', `current: ${currentReplicas}/${wanted}`)
  if ((text(set, 'status.currentRevision') ?? '') !== (text(set, 'status.updateRevision') ?? '')) {
    return inProgress('RevisionMismatch', 'Waiting for updated revision to match current')
  }
  return current(`All replicas scheduled as expected. Replicas: ${replicas}`)
}

/** Only the replicas from the partition upwards are to be updated. */
function partitionStatus(set: KubeObject, wanted: number): ObjectStatus {
  const updated = count(set, 'updatedReplicas')
  if (updated < wanted) return inProgress('PartitionRollout', `updated: ${updated}/${wanted}`)
  return current(`Partition rollout complete. updated: ${updated}`)
}

/** Its controller always sets these fields, so that their absence means that it has not looked yet. */
export function daemonSetStatus(set: KubeObject): ObjectStatus {
  for (const [field, reason] of [
    ['metadata.generation', 'NoGeneration'],
    ['status.observedGeneration', 'NoObservedGeneration'],
  ] as const) {
    if (integer(set, field) === undefined) return inProgress(reason, `${set.kind} ${field} not found`)
  }
  const wanted = integer(set, 'status.desiredNumberScheduled')
  if (wanted === undefined) return inProgress('NoDesiredNumber', 'Missing .status.desiredNumberScheduled')
  const scheduled = count(set, 'currentNumberScheduled')
  const updated = count(set, 'updatedNumberScheduled')
  const available = count(set, 'numberAvailable')
  const ready = count(set, 'numberReady')
  if (wanted > scheduled) return inProgress('LessCurrent', `Current: ${scheduled}/${wanted}`)
  if (wanted > updated) return inProgress('LessUpdated', `Updated: ${updated}/${wanted}`)
  if (wanted > available) return inProgress('LessAvailable', `Available: ${available}/${wanted}`)
  if (wanted > ready) return inProgress('LessReady', `Ready: ${ready}/${wanted}`)
  return current(`All replicas scheduled as expected. Replicas: ${wanted}`)
}

/** Flux's rule: a Job is well when it is done or suspended, not while it runs. */
export function jobStatus(job: KubeObject): ObjectStatus {
  if (valueAt(job, 'spec.suspend') === true) return current('Job is suspended')
  const parallelism = integer(job, 'spec.parallelism') ?? 1
  const completions = integer(job, 'spec.completions') ?? parallelism
  const succeeded = count(job, 'succeeded')
  const failures = count(job, 'failed')
  for (const { type, status } of conditionsOf(job)) {
    if (status !== 'True') continue
    if (type === 'Complete') return current(`Job Completed. succeeded: ${succeeded}/${completions}`)
    if (type === 'Failed') return failed('JobFailed', `Job Failed. failed: ${failures}/${completions}`)
  }
  if (!text(job, 'status.startTime')) {
    return inProgress('JobNotStarted', `Job not started. active: 0/${parallelism}`)
  }
  const counts = `success:${succeeded}, active: ${count(job, 'active')}, failed: ${failures}`
  return inProgress('JobInProgress', `Job in progress. ${counts}`)
}

function count(object: KubeObject, field: string): number {
  return integer(object, `status.${field}`) ?? 0
}
