import type { KubeObject } from '@setpoint/manifest'
import { podStatus } from './kstatus-pod.ts'
import { conditionsOf, current, failed, inProgress, type ObjectStatus, text } from './kstatus-result.ts'
import {
  daemonSetStatus,
  deploymentStatus,
  replicaSetStatus,
  statefulSetStatus,
} from './kstatus-workloads.ts'

type Rule = (object: KubeObject, nowMs: number | undefined) => ObjectStatus

/** By group and kind; the core group is ''. */
const rules: Readonly<Record<string, Rule>> = {
  '/ConfigMap': alwaysReady,
  '/Secret': alwaysReady,
  '/Service': serviceStatus,
  '/Pod': podStatus,
  '/PersistentVolumeClaim': claimStatus,
  'apps/Deployment': deploymentStatus,
  'apps/StatefulSet': statefulSetStatus,
  'apps/DaemonSet': daemonSetStatus,
  'apps/ReplicaSet': replicaSetStatus,
  'extensions/Deployment': deploymentStatus,
  'extensions/DaemonSet': daemonSetStatus,
  'extensions/ReplicaSet': replicaSetStatus,
  'batch/CronJob': alwaysReady,
  'policy/PodDisruptionBudget': disruptionBudgetStatus,
  'apiextensions.k8s.io/CustomResourceDefinition': definitionStatus,
}

/** The status of a kind with rules of its own; undefined for all others. */
export function builtInStatus(
  group: string,
  object: KubeObject,
  nowMs: number | undefined,
): ObjectStatus | undefined {
  const key = `${group}/${object.kind}`
  return Object.hasOwn(rules, key) ? rules[key]?.(object, nowMs) : undefined
}

function alwaysReady(): ObjectStatus {
  return current('Resource is always ready')
}

/** That a load balancer has an address is not asked for: kstatus looks at the cluster IP alone. */
function serviceStatus(service: KubeObject): ObjectStatus {
  if (text(service, 'spec.type') === 'LoadBalancer' && !text(service, 'spec.clusterIP')) {
    return inProgress('NoIPAssigned', 'ClusterIP not set. Service type: LoadBalancer')
  }
  return current('Service is ready')
}

function claimStatus(claim: KubeObject): ObjectStatus {
  const phase = text(claim, 'status.phase') ?? 'unknown'
  if (phase !== 'Bound') return inProgress('NotBound', `PVC is not Bound. phase: ${phase}`)
  return current('PVC is Bound')
}

/** Its controller sets observedGeneration, so that a stale one does not get here. */
function disruptionBudgetStatus(): ObjectStatus {
  return current('AllowedDisruptions has been computed.')
}

function definitionStatus(definition: KubeObject): ObjectStatus {
  for (const { type, status, reason, message } of conditionsOf(definition)) {
    if (type === 'NamesAccepted' && status === 'False') return failed(reason, message)
    if (type !== 'Established') continue
    if (status === 'True') return current('CRD is established')
    if (status === 'False' && reason !== 'Installing') return failed(reason, message)
  }
  return inProgress('Installing', 'Install in progress')
}
