import type { KubeObject } from '@setpoint/manifest'
import type { View } from './view.ts'

export const LEASE = { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' }
/** On the Lease of a replica: the service that it belongs to. */
export const SERVICE_LABEL = 'setpoint.dev/replica-of'
const VIEW_ANNOTATION = 'setpoint.dev/replicas'

/** What the Lease of a replica says. */
export interface LeaseRecord {
  /** Of the replica. */
  name: string
  /** The process that holds it: a process that was started again under the same name is another one. */
  holder: string
  view: View
  durationMs: number
  /** Changes with each renewal. */
  stamp: string
  resourceVersion: string
  /** How often the view was changed. */
  transitions: number
}

export interface NewLease extends Omit<LeaseRecord, 'stamp' | 'resourceVersion'> {
  /** Milliseconds since the epoch. */
  renewedAt: number
}

export function leaseName(service: string, replica: string): string {
  return `setpoint-${service}-${replica}`
}

/** The fields of a Lease that this replica sets. */
export function leaseFields(service: string, lease: NewLease) {
  return {
    metadata: {
      labels: { [SERVICE_LABEL]: service, 'app.kubernetes.io/part-of': 'setpoint' },
      annotations: { [VIEW_ANNOTATION]: lease.view.join(','), 'setpoint.dev/replica': lease.name },
    },
    spec: {
      holderIdentity: lease.holder,
      leaseDurationSeconds: Math.ceil(lease.durationMs / 1000),
      leaseTransitions: lease.transitions,
      renewTime: `${new Date(lease.renewedAt).toISOString().slice(0, -1)}000Z`,
    },
  }
}

interface LeaseSpec {
  holderIdentity?: string
  leaseDurationSeconds?: number
  leaseTransitions?: number
  renewTime?: string
}

/** Undefined when it is none of ours. */
export function readLease(lease: KubeObject): LeaseRecord | undefined {
  const { annotations = {}, resourceVersion = '' } = lease.metadata
  const spec = (lease.spec ?? {}) as LeaseSpec
  const name = annotations['setpoint.dev/replica']
  if (name === undefined || name === '') return undefined
  return {
    name,
    holder: spec.holderIdentity ?? '',
    view: (annotations[VIEW_ANNOTATION] ?? '').split(',').filter((part) => part !== ''),
    durationMs: (spec.leaseDurationSeconds ?? 0) * 1000,
    stamp: `${spec.renewTime ?? ''} ${resourceVersion}`,
    resourceVersion,
    transitions: spec.leaseTransitions ?? 0,
  }
}
