import { readFile } from 'node:fs/promises'
import type { KubeObject } from '@setpoint/manifest'
import { parse, stringify } from 'yaml'
import { type KubeClient, startInformer } from '../src/index.ts'

/** ConfigMap with one key, the object of most tests here. */
export function configMap(namespace: string, name: string, data: Record<string, string>): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: { app: 'kube' } }, data }
}

export const configMaps = { group: '', version: 'v1', kind: 'ConfigMap' }

/** The kubeconfig at a path with one change to its cluster or user. */
export async function changedKubeconfig(
  path: string,
  change: { cluster?: Record<string, unknown>; user?: Record<string, unknown> },
): Promise<string> {
  const config = parse(await readFile(path, 'utf8')) as {
    clusters: Array<{ cluster: Record<string, unknown> }>
    users: Array<{ user: Record<string, unknown> }>
  }
  for (const entry of config.clusters) Object.assign(entry.cluster, change.cluster)
  for (const entry of config.users) if (change.user) entry.user = change.user
  return stringify(config)
}

/** Who the server takes the client for. */
export async function whoAmI(client: KubeClient, impersonate?: string): Promise<string> {
  const answer = (await client.request({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    impersonate,
  })) as { status: { userInfo: { username: string } } }
  return answer.status.userInfo.username
}

/** An informer of ConfigMaps in a namespace that notes what it is told. */
export function recordingInformer(client: KubeClient, namespace: string, signal: AbortSignal) {
  const events: string[] = []
  const errors: unknown[] = []
  const informer = startInformer(client, {
    gvk: configMaps,
    namespace,
    labelSelector: 'app=kube',
    signal,
    onUpsert: (object, previous) => events.push(`${previous ? 'update' : 'add'} ${object.metadata.name}`),
    onDelete: (object) => events.push(`delete ${object.metadata.name}`),
    onSync: () => events.push('sync'),
    onRestored: () => events.push('restored'),
    onError: (error) => errors.push(error),
  })
  return { informer, events, errors }
}
