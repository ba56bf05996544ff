import type { KubeObject } from '@setpoint/manifest'
import { describe, expect, test } from 'vitest'
import { computeStatus } from './kstatus.ts'

/** Situation, spec, status, the health expected and the start of its message. */
type Row = [situation: string, spec: unknown, status: unknown, health: string, message: string]

function object(type: string, spec: unknown, status: unknown, metadata: object = {}): KubeObject {
  const [apiVersion = '', kind = ''] = type.split(' ')
  const whole = { name: 'test', namespace: 'apps', generation: 1, ...metadata }
  return { apiVersion, kind, metadata: whole, ...(spec ? { spec } : {}), ...(status ? { status } : {}) }
}

function expectRows(type: string, rows: Row[]): void {
  test.each(rows)('%s', (_situation, spec, status, health, message) => {
    const result = computeStatus(object(type, spec, status))
    expect(`${result.status}: ${result.message}`).toBe(`${health}: ${message}`)
  })
}

const condition = (type: string, status: string, reason = 'Reason', message = 'message') => ({
  type,
  status,
  reason,
  message,
})

describe('any kind', () => {
  expectRows('example.test/v1 Widget', [
    ['without a status is current', {}, undefined, 'Current', 'Resource is current'],
    [
      'that is Ready is current',
      {},
      { conditions: [condition('Ready', 'True')] },
      'Current',
      'Resource is Ready',
    ],
    [
      'that is not Ready is in progress',
      {},
      { conditions: [condition('Ready', 'False')] },
      'InProgress',
      'message',
    ],
    [
      'with Ready unknown is in progress',
      {},
      { conditions: [condition('Ready', 'Unknown')] },
      'InProgress',
      'message',
    ],
    [
      'that reconciles is in progress, also when it is Ready',
      {},
      { conditions: [condition('Ready', 'True'), condition('Reconciling', 'True', 'R', 'working')] },
      'InProgress',
      'working',
    ],
    [
      'that is stalled has failed',
      {},
      { conditions: [condition('Stalled', 'True', 'R', 'stuck'), condition('Ready', 'True')] },
      'Failed',
      'stuck',
    ],
    [
      'whose generation is not observed is in progress, also when it is stalled',
      {},
      { observedGeneration: 0, conditions: [condition('Stalled', 'True')] },
      'InProgress',
      'Widget generation is 1, but latest observed generation is 0',
    ],
    [
      'whose conditions are no list is unknown',
      {},
      { conditions: 'x' },
      'Unknown',
      'status.conditions is not a list',
    ],
  ])

  test('that is being deleted is terminating, whatever else it says', () => {
    const metadata = { deletionTimestamp: '2026-01-01T00:00:00Z' }
    const status = { observedGeneration: 0, conditions: [condition('Ready', 'True')] }
    const result = computeStatus(object('v1 Namespace', {}, status, metadata))
    expect(result).toEqual({ status: 'Terminating', message: 'Resource scheduled for deletion' })
  })

  test('carries the reason of its condition', () => {
    const status = { conditions: [condition('Ready', 'False', 'DependencyNotReady')] }
    expect(computeStatus(object('example.test/v1 Widget', {}, status)).reason).toBe('DependencyNotReady')
  })

  test.each(['v1 ConfigMap', 'v1 Secret', 'batch/v1 CronJob'])('%s is always ready', (type) => {
    const status = { conditions: [condition('Ready', 'False')] }
    expect(computeStatus(object(type, {}, status)).message).toBe('Resource is always ready')
  })

  test.each([
    'v1 Namespace',
    'v1 PersistentVolume',
    'networking.k8s.io/v1 Ingress',
    'toString/v1 constructor',
  ])('%s has no rules of its own', (type) => {
    expect(computeStatus(object(type, {}, undefined)).message).toBe('Resource is current')
  })
})

describe('a Deployment', () => {
  const replicas = { replicas: 2, updatedReplicas: 2, availableReplicas: 2, readyReplicas: 2 }
  const rolledOut = condition('Progressing', 'True', 'NewReplicaSetAvailable')
  const available = condition('Available', 'True')
  const spec = { replicas: 2, progressDeadlineSeconds: 600 }
  expectRows('apps/v1 Deployment', [
    ['not yet looked at', { replicas: 2 }, undefined, 'InProgress', 'Replicas: 0/2'],
    ['without a number of replicas wants one', {}, {}, 'InProgress', 'Replicas: 0/1'],
    ['with old replicas', spec, { ...replicas, updatedReplicas: 1 }, 'InProgress', 'Updated: 1/2'],
    ['with replicas too many', spec, { ...replicas, replicas: 3 }, 'InProgress', 'Pending termination: 1'],
    ['not available yet', spec, { ...replicas, availableReplicas: 1 }, 'InProgress', 'Available: 1/2'],
    ['not ready yet', spec, { ...replicas, readyReplicas: 1 }, 'InProgress', 'Ready: 1/2'],
    [
      'whose replica set is not available',
      spec,
      { ...replicas, conditions: [available] },
      'InProgress',
      'ReplicaSet not Available',
    ],
    [
      'that is not available',
      spec,
      { ...replicas, conditions: [rolledOut] },
      'InProgress',
      'Deployment not Available',
    ],
    [
      'rolled out',
      spec,
      { ...replicas, conditions: [rolledOut, available] },
      'Current',
      'Deployment is available. Replicas: 2',
    ],
    [
      'without a deadline needs no Progressing',
      { replicas: 2 },
      { ...replicas, conditions: [available] },
      'Current',
      'Deployment is available. Replicas: 2',
    ],
    [
      'scaled to zero',
      { replicas: 0 },
      { conditions: [available] },
      'Current',
      'Deployment is available. Replicas: 0',
    ],
    [
      'past its deadline has failed',
      spec,
      { conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] },
      'Failed',
      'Progress deadline exceeded',
    ],
  ])
})

describe('a StatefulSet', () => {
  const spec = { replicas: 3 }
  const replicas = { replicas: 3, readyReplicas: 3, currentReplicas: 3, updatedReplicas: 3 }
  const partition = { replicas: 3, updateStrategy: { rollingUpdate: { partition: 1 } } }
  expectRows('apps/v1 StatefulSet', [
    ['not yet looked at', spec, undefined, 'InProgress', 'Replicas: 0/3'],
    ['not ready yet', spec, { ...replicas, readyReplicas: 1 }, 'InProgress', 'Ready: 1/3'],
    ['with replicas too many', spec, { ...replicas, replicas: 4 }, 'InProgress', 'Pending termination: 1'],
    ['with old replicas', spec, { ...replicas, currentReplicas: 1 }, 'InProgress', 'current: 1/3'],
    [
      'between two revisions',
      spec,
      { ...replicas, currentRevision: 'a', updateRevision: 'b' },
      'InProgress',
      'Waiting for updated revision to match current',
    ],
    ['rolled out', spec, replicas, 'Current', 'All replicas scheduled as expected. Replicas: 3'],
    [
      'with a partition that is not updated',
      partition,
      { ...replicas, updatedReplicas: 1 },
      'InProgress',
      'updated: 1/2',
    ],
    [
      'with a partition that is updated',
      partition,
      { ...replicas, updatedReplicas: 2 },
      'Current',
      'Partition rollout complete. updated: 2',
    ],
    [
      'that a person updates',
      { replicas: 3, updateStrategy: { type: 'OnDelete' } },
      {},
      'Current',
      'StatefulSet is using the ondelete update strategy',
    ],
  ])
})

describe('a DaemonSet', () => {
  const status = {
    observedGeneration: 1,
    desiredNumberScheduled: 2,
    currentNumberScheduled: 2,
    updatedNumberScheduled: 2,
    numberAvailable: 2,
    numberReady: 2,
  }
  expectRows('apps/v1 DaemonSet', [
    ['not yet looked at', {}, {}, 'InProgress', 'DaemonSet status.observedGeneration not found'],
    [
      'without a count',
      {},
      { observedGeneration: 1 },
      'InProgress',
      'Missing .status.desiredNumberScheduled',
    ],
    ['not on all nodes', {}, { ...status, currentNumberScheduled: 1 }, 'InProgress', 'Current: 1/2'],
    ['not updated', {}, { ...status, updatedNumberScheduled: 1 }, 'InProgress', 'Updated: 1/2'],
    ['not available', {}, { ...status, numberAvailable: 1 }, 'InProgress', 'Available: 1/2'],
    ['not ready', {}, { ...status, numberReady: 1 }, 'InProgress', 'Ready: 1/2'],
    ['rolled out', {}, status, 'Current', 'All replicas scheduled as expected. Replicas: 2'],
  ])
})

describe('a ReplicaSet', () => {
  const status = { replicas: 2, fullyLabeledReplicas: 2, availableReplicas: 2, readyReplicas: 2 }
  const failure = { ...status, conditions: [condition('ReplicaFailure', 'True')] }
  expectRows('apps/v1 ReplicaSet', [
    ['not yet looked at', { replicas: 2 }, undefined, 'InProgress', 'Labelled: 0/2'],
    ['not available', { replicas: 2 }, { ...status, availableReplicas: 1 }, 'InProgress', 'Available: 1/2'],
    ['not ready', { replicas: 2 }, { ...status, readyReplicas: 1 }, 'InProgress', 'Ready: 1/2'],
    [
      'with replicas too many',
      { replicas: 2 },
      { ...status, replicas: 3 },
      'InProgress',
      'Pending termination: 1',
    ],
    [
      'that can not make its Pods',
      { replicas: 2 },
      failure,
      'InProgress',
      'Replica Failure condition. Check Pods',
    ],
    ['complete', { replicas: 2 }, status, 'Current', 'ReplicaSet is available. Replicas: 2'],
  ])
})

describe('a Job', () => {
  const started = { startTime: '2026-01-01T00:00:00Z', active: 1, failed: 2 }
  expectRows('batch/v1 Job', [
    ['not started', { parallelism: 2 }, undefined, 'InProgress', 'Job not started. active: 0/2'],
    ['that runs', {}, started, 'InProgress', 'Job in progress. success:0, active: 1, failed: 2'],
    ['that is suspended', { suspend: true }, undefined, 'Current', 'Job is suspended'],
    [
      'that is done',
      { completions: 3 },
      { succeeded: 3, conditions: [condition('Complete', 'True')] },
      'Current',
      'Job Completed. succeeded: 3/3',
    ],
    [
      'that failed',
      {},
      { failed: 6, conditions: [condition('Failed', 'True')] },
      'Failed',
      'Job Failed. failed: 6/1',
    ],
  ])
})

test('a Job that is done stays well while it is deleted', () => {
  const status = { succeeded: 1, conditions: [condition('Complete', 'True')] }
  const job = object('batch/v1 Job', {}, status, { deletionTimestamp: '2026-01-01T00:00:00Z' })
  expect(computeStatus(job)).toEqual({ status: 'Current', message: 'Job Completed. succeeded: 1/1' })
})

describe('a Pod', () => {
  const unschedulable = {
    phase: 'Pending',
    conditions: [condition('PodScheduled', 'False', 'Unschedulable')],
  }
  const crashing = {
    phase: 'Running',
    containerStatuses: [
      { name: 'web', state: { waiting: { reason: 'CrashLoopBackOff' } } },
      { name: 'sidecar', state: { running: {} } },
    ],
  }
  expectRows('v1 Pod', [
    ['not yet looked at', {}, undefined, 'InProgress', 'Pod phase not available'],
    ['that waits', {}, { phase: 'Pending' }, 'InProgress', 'Pod is in the Pending phase'],
    [
      'that is ready',
      {},
      { phase: 'Running', conditions: [condition('Ready', 'True')] },
      'Current',
      'Pod is Ready',
    ],
    ['that runs and is not ready', {}, { phase: 'Running' }, 'InProgress', 'Pod is running but is not Ready'],
    ['that crashes again and again', {}, crashing, 'Failed', 'Containers in CrashLoop state: web'],
    ['that is done', {}, { phase: 'Succeeded' }, 'Current', 'Pod has completed successfully'],
    ['that ended badly', {}, { phase: 'Failed' }, 'Current', 'Pod has completed, but not successfully'],
    ['in a phase that nobody knows', {}, { phase: 'Odd' }, 'Unknown', 'unknown phase Odd'],
  ])

  const created = { creationTimestamp: '2026-01-01T00:00:00Z' }
  const second = (count: number) => ({ nowMs: Date.parse(created.creationTimestamp) + count * 1000 })

  test('that finds no node is given 15 seconds', () => {
    const pod = object('v1 Pod', {}, unschedulable, created)
    const waiting = { status: 'InProgress', reason: 'PodNotScheduled', message: 'Pod has not been scheduled' }
    expect(computeStatus(pod, second(5))).toEqual({ ...waiting, recheckAfterMs: 10_000 })
    expect(computeStatus(pod, second(15))).toMatchObject({ status: 'Failed', reason: 'PodUnschedulable' })
    expect(computeStatus(pod)).toMatchObject(waiting)
  })
})

describe('a Service', () => {
  expectRows('v1 Service', [
    ['of a cluster IP', { clusterIP: '10.0.0.1' }, undefined, 'Current', 'Service is ready'],
    [
      'of a load balancer with a cluster IP',
      { type: 'LoadBalancer', clusterIP: '10.0.0.1' },
      undefined,
      'Current',
      'Service is ready',
    ],
    [
      'of a load balancer without one',
      { type: 'LoadBalancer' },
      undefined,
      'InProgress',
      'ClusterIP not set. Service type: LoadBalancer',
    ],
  ])
})

describe('a PersistentVolumeClaim', () => {
  expectRows('v1 PersistentVolumeClaim', [
    ['not yet looked at', {}, undefined, 'InProgress', 'PVC is not Bound. phase: unknown'],
    ['that waits', {}, { phase: 'Pending' }, 'InProgress', 'PVC is not Bound. phase: Pending'],
    ['that has its volume', {}, { phase: 'Bound' }, 'Current', 'PVC is Bound'],
  ])
})

describe('a PodDisruptionBudget', () => {
  expectRows('policy/v1 PodDisruptionBudget', [
    ['that was computed', {}, { observedGeneration: 1 }, 'Current', 'AllowedDisruptions has been computed.'],
    [
      'of an old generation',
      {},
      { observedGeneration: 0 },
      'InProgress',
      'PodDisruptionBudget generation is 1, but latest observed generation is 0',
    ],
  ])
})

describe('a CustomResourceDefinition', () => {
  const accepted = condition('NamesAccepted', 'True')
  expectRows('apiextensions.k8s.io/v1 CustomResourceDefinition', [
    ['not yet looked at', {}, undefined, 'InProgress', 'Install in progress'],
    [
      'that is installed',
      {},
      { conditions: [accepted, condition('Established', 'True')] },
      'Current',
      'CRD is established',
    ],
    [
      'that is being installed',
      {},
      { conditions: [accepted, condition('Established', 'False', 'Installing')] },
      'InProgress',
      'Install in progress',
    ],
    [
      'whose names are taken has failed',
      {},
      { conditions: [condition('NamesAccepted', 'False', 'MultipleNamesTaken', 'names are taken')] },
      'Failed',
      'names are taken',
    ],
    [
      'that can not be established has failed',
      {},
      { conditions: [condition('Established', 'False', 'NotAccepted', 'not accepted')] },
      'Failed',
      'not accepted',
    ],
  ])
})
