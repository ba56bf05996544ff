import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type SharedCluster, temporaryDirectory } from '@setpoint/testkit'
import { render } from './helm.ts'

export const SERVICES = ['source', 'kustomize-render', 'apply', 'image-automation'] as const
export type ServiceName = (typeof SERVICES)[number]

/** What says who a service is and what it may do. */
const KINDS = ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding']
const NAMESPACE = 'setpoint-system'

/**
 * Gives the services the identities of the chart on a cluster where they run outside of Pods, so that a permission
 * that the chart forgets fails a test. Returns the path of a kubeconfig for each.
 */
export async function installIdentities(cluster: SharedCluster): Promise<Record<ServiceName, string>> {
  await cluster.kubectl('create', 'namespace', NAMESPACE).catch(unlessExists)
  const key = `--from-literal=key=${randomBytes(16).toString('hex')}`
  const secret = ['create', 'secret', 'generic', 'setpoint-sealing-key', '-n', NAMESPACE, key]
  await cluster.kubectl(...secret).catch(unlessExists)
  const objects = (await render()).filter(({ kind }) => KINDS.includes(kind))
  await using directory = await temporaryDirectory('identities')
  const file = join(directory.path, 'identities.json')
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
  await cluster.kubectl('apply', '--server-side', '--force-conflicts', '-f', file)
  const kubeconfig = (service: ServiceName) =>
    cluster.kubeconfigFor({ namespace: NAMESPACE, name: `setpoint-${service}` })
  return {
    source: await kubeconfig('source'),
    'kustomize-render': await kubeconfig('kustomize-render'),
    apply: await kubeconfig('apply'),
    'image-automation': await kubeconfig('image-automation'),
  }
}

function unlessExists(error: Error): void {
  if (!/AlreadyExists|already exists/.test(error.message)) throw error
}
