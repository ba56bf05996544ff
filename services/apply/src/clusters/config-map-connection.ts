import { createHash } from 'node:crypto'
import { type CloudCluster, CloudError, type ClusterLogins } from '@setpoint/cloud'
import { connectWithToken, KubeConfigError, type ShortToken } from '@setpoint/kube'
import { ReconcileError } from '@setpoint/reconcile'
import type { Connection } from './connection.ts'

/** What a ConfigMap of spec.kubeConfig says, and how messages name it. */
export interface ClusterMap {
  data: Readonly<Record<string, string>>
  name: string
  namespace: string
}

const CLOUDS = ['aws', 'azure', 'gcp'] as const
const DESCRIBE_MS = 10_000
const TOKEN_MS = 10_000

/** A cluster of a cloud, reached as a ServiceAccount of the namespace or as this service. @throws ReconcileError */
export function cloudConnection({ data, name, namespace }: ClusterMap, logins: ClusterLogins): Connection {
  const provider = CLOUDS.find((one) => one === data.provider)
  if (provider === undefined)
    throw failure(`${name}: provider must be aws, azure, gcp or generic, not '${data.provider ?? ''}'`)
  const { cluster = '', address, serviceAccountName = '', 'ca.crt': ca } = data
  if (address !== undefined && !isHttps(address))
    throw failure(`${name}: address must be the https:// URL of the API server`)
  const account = serviceAccountName === '' ? undefined : { namespace, name: serviceAccountName }
  const wanted: CloudCluster = { provider, cluster, address, ca, account }
  return {
    digest: createHash('sha256').update(JSON.stringify(wanted)).digest('hex'),
    open: async (options) => {
      const server = await orFailure(name, () => logins.server(wanted, AbortSignal.timeout(DESCRIBE_MS)))
      if (!isHttps(server.server)) throw failure(`${name}: the cloud names no address of ${cluster}`)
      return connectWithToken({ ...server, token: () => tokenFor(wanted, logins) }, options)
    },
  }
}

async function tokenFor(cluster: CloudCluster, logins: ClusterLogins): Promise<ShortToken> {
  try {
    const { token, expiresAt } = await logins.token(cluster, AbortSignal.timeout(TOKEN_MS))
    return { token, expires: expiresAt }
  } catch (cause) {
    if (!(cause instanceof CloudError)) throw cause
    throw new KubeConfigError(cause.message, { cause })
  }
}

async function orFailure<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof CloudError)) throw cause
    throw failure(`${name}: ${cause.message}`, cause)
  }
}

const isHttps = (text: string): boolean => URL.canParse(text) && new URL(text).protocol === 'https:'

function failure(message: string, cause?: unknown): ReconcileError {
  return new ReconcileError('ReconciliationFailed', message, { cause })
}
