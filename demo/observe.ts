import type { KindRef, KubeClient } from '@setpoint/kube'
import type { KubeObject } from '@setpoint/manifest'
import { waitFor } from '@setpoint/testkit'
import { namespace } from './cluster.ts'

/** Everything here asks the API server; nothing is taken from what Setpoint says of itself but its statuses. */

export const deploymentKind: KindRef = { group: 'apps', kind: 'Deployment' }
export const serviceKind: KindRef = { group: '', kind: 'Service' }
export const configMapKind: KindRef = { group: '', kind: 'ConfigMap' }
const kustomizationKind: KindRef = { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization' }

/** The Kustomizations of the sample fleet. */
export const kustomizations = ['fleet', 'staging', 'production', 'tools']
/** The image that the fleet runs, without its tag. */
export const image = 'ghcr.io/stefanprodan/podinfo'

export const environments = ['staging', 'production']
const namespaces = [...environments, 'tools']

const TIMEOUT_MS = 60_000
const FAST_MS = 10

/** Polls the API server every few milliseconds, so that the time that is printed is the time that it took. */
export function eventually<T>(what: string, probe: () => Promise<T | undefined | false>): Promise<T> {
  return waitFor(what, probe, { timeoutMs: TIMEOUT_MS, intervalMs: FAST_MS })
}

/** Every Kustomization is Ready at this commit. */
export async function allReadyAt(kube: KubeClient, sha: string): Promise<void> {
  for (const name of kustomizations) {
    await eventually(`Kustomization ${name} is Ready at ${sha.slice(0, 8)}`, async () => {
      const object = await kube.get(kustomizationKind, { namespace, name })
      return object !== undefined && isReadyAt(object, sha)
    })
  }
}

function isReadyAt(object: KubeObject, sha: string): boolean {
  const { lastAppliedRevision, conditions = [] } = (object.status ?? {}) as {
    lastAppliedRevision?: string
    conditions?: Array<{ type: string; status: string }>
  }
  const ready = conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
  return ready && lastAppliedRevision === `main@sha1:${sha}`
}

/** A Deployment as far as the story looks at it. */
export interface DeploymentState {
  image: string
  replicas: number
  /** All wanted Pods run this template. */
  rolledOut: boolean
}

/** The state of a Deployment, or undefined when there is none. */
export async function deployment(
  kube: KubeClient,
  environment: string,
  name = 'web',
): Promise<DeploymentState | undefined> {
  const object = await kube.get(deploymentKind, { namespace: environment, name })
  if (object === undefined) return undefined
  const { spec, status = {}, metadata } = object as KubeObject & DeploymentObject
  const rolledOut =
    status.observedGeneration === metadata.generation &&
    status.updatedReplicas === spec.replicas &&
    status.availableReplicas === spec.replicas
  return { image: spec.template.spec.containers[0]?.image ?? '', replicas: spec.replicas, rolledOut }
}

interface DeploymentObject {
  spec: { replicas: number; template: { spec: { containers: Array<{ image: string }> } } }
  status?: { observedGeneration?: number; updatedReplicas?: number; availableReplicas?: number }
}

/** What the cluster runs of the fleet, without what differs between two clusters. */
export async function fleetInCluster(kube: KubeClient): Promise<Record<string, unknown>> {
  const state: Record<string, unknown> = {}
  for (const namespaceName of namespaces) {
    for (const kind of [deploymentKind, serviceKind, configMapKind]) {
      for (const object of await kube.list(kind, { namespace: namespaceName })) {
        const { name } = object.metadata
        if (name !== 'kube-root-ca.crt') state[`${kind.kind} ${namespaceName}/${name}`] = essence(object)
      }
    }
  }
  return state
}

function essence(object: KubeObject): unknown {
  const { spec, data } = object as KubeObject & { spec?: Record<string, unknown>; data?: unknown }
  const { clusterIP: _ip, clusterIPs: _ips, ...kept } = spec ?? {}
  return { spec: kept, data }
}

export async function runsEverywhere(where: string[], kube: KubeClient, tag: string): Promise<void> {
  for (const environment of where) {
    await eventually(`Deployment ${environment}/web runs ${tag}`, async () => {
      const state = await deployment(kube, environment)
      return state?.rolledOut && state.image === `${image}:${tag}`
    })
  }
}

export async function hasImage(kube: KubeClient, environment: string, tag: string): Promise<void> {
  await eventually(
    `Deployment ${environment}/web has the image ${tag}`,
    async () => (await deployment(kube, environment))?.image === `${image}:${tag}`,
  )
}

export function stopwatch(): () => number {
  const start = performance.now()
  return () => performance.now() - start
}
