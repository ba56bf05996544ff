import { createHash } from 'node:crypto'
import type { ClusterLogins } from '@setpoint/cloud'
import type { Kustomization } from '@setpoint/contracts'
import {
  connectWithToken,
  type DataReference,
  fromKubeConfigText,
  KubeApiError,
  type KubeClient,
  type KubeClientOptions,
  KubeConfigError,
  type ShortToken,
} from '@setpoint/kube'
import type { KubeObject } from '@setpoint/manifest'
import { ReconcileError } from '@setpoint/reconcile'
import type { Policy } from '../policy.ts'
import { type ClusterMap, cloudConnection } from './config-map-connection.ts'

/** How to reach another cluster, as it stands in a Secret or ConfigMap now. */
export interface Connection {
  /** Equal for equal connections; tells nothing of what is in it. */
  digest: string
  open(options: KubeClientOptions): Promise<KubeClient>
}

/** The Secret or ConfigMap that spec.kubeConfig names; undefined: the own cluster. */
export function kubeConfigRefOf({ spec, metadata }: Kustomization): DataReference | undefined {
  const { secretRef, configMapRef } = spec.kubeConfig ?? {}
  const name = secretRef?.name ?? configMapRef?.name
  if (name === undefined) return undefined
  const kind = secretRef === undefined ? 'ConfigMap' : 'Secret'
  return { kind, namespace: metadata.namespace ?? '', name }
}

/**
 * Reads how to reach the cluster of a Kustomization that has a kubeConfig.
 * @throws ReconcileError naming the object and what is wrong with it, never a value from it.
 */
export async function readConnection(
  home: KubeClient,
  kustomization: Kustomization,
  ref: DataReference,
  { policy, logins }: { policy: Policy; logins: ClusterLogins },
): Promise<Connection> {
  const found = await home.get({ group: '', version: 'v1', kind: ref.kind }, ref)
  const name = `spec.kubeConfig: ${ref.kind} ${ref.namespace}/${ref.name}`
  if (found === undefined) throw failure(`${name} is not there`)
  if (ref.kind === 'Secret') return ofSecret(kustomization, found, name, policy)
  const given = (found.data ?? {}) as Record<string, string>
  const serviceAccountName = given.serviceAccountName || policy.defaultKubeConfigAccount
  const data = { ...given, serviceAccountName }
  return given.provider === 'generic'
    ? genericConnection(home, { data, name, namespace: ref.namespace })
    : cloudConnection({ data, name, namespace: ref.namespace }, logins)
}

function ofSecret(
  kustomization: Kustomization,
  secret: KubeObject,
  name: string,
  policy: Policy,
): Connection {
  const data = (secret.data ?? {}) as Record<string, string>
  const { key } = kustomization.spec.kubeConfig?.secretRef ?? {}
  const keys = key ? [key] : ['value', 'value.yaml']
  const encoded = keys.map((one) => data[one]).find((value) => value !== undefined)
  if (encoded === undefined) throw failure(`${name} has no key ${keys.join(' or ')} with a kubeconfig`)
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const trust = { allowExec: policy.allowKubeconfigExec, allowInsecureTls: policy.allowKubeconfigInsecureTls }
  return {
    digest: digestOf(text),
    open: async (options) => {
      try {
        return await fromKubeConfigText(text, { ...options, ...trust })
      } catch (error) {
        if (!(error instanceof KubeConfigError)) throw error
        throw failure(`${name}: ${error.message}${adviceFor(error)}`, error)
      }
    },
  }
}

function adviceFor({ message }: KubeConfigError): string {
  if (message.includes('starts the command'))
    return '; the flag --insecure-kubeconfig-exec of apply allows it'
  if (message.includes('certificate checks')) return '; the flag --insecure-kubeconfig-tls of apply allows it'
  return ''
}

/** An address, and tokens of a service account of the Kustomization's namespace. */
function genericConnection(home: KubeClient, { data, name, namespace }: ClusterMap): Connection {
  const { address = '', serviceAccountName = '' } = data
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw failure(`${name}: address must be the https:// URL of the API server`)
  if (serviceAccountName === '')
    throw failure(
      `${name}: serviceAccountName must name the service account whose tokens the cluster accepts`,
    )
  const ca = data['ca.crt']
  const audiences = audiencesOf(data.audiences) ?? [address]
  const token = () => requestToken(home, { namespace, name: serviceAccountName }, audiences)
  return {
    digest: digestOf(JSON.stringify([address, ca, audiences, namespace, serviceAccountName])),
    open: async (options) => connectWithToken({ server: address, ca, token }, options),
  }
}

/** One for each line, or with commas. */
function audiencesOf(text: string | undefined): string[] | undefined {
  const audiences = (text ?? '').split(/[\s,]+/).filter((audience) => audience !== '' && audience !== '-')
  return audiences.length === 0 ? undefined : audiences
}

const TOKEN_SECONDS = 3_600

async function requestToken(
  home: KubeClient,
  { namespace, name }: { namespace: string; name: string },
  audiences: string[],
): Promise<ShortToken> {
  const answer = await makeToken(home, { namespace, name }, audiences)
  const { token, expirationTimestamp } = (
    answer as { status: { token: string; expirationTimestamp: string } }
  ).status
  return { token, expires: Date.parse(expirationTimestamp) }
}

async function makeToken(
  home: KubeClient,
  { namespace, name }: { namespace: string; name: string },
  audiences: string[],
): Promise<unknown> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${encodeURIComponent(name)}/token`
  const spec = { audiences, expirationSeconds: TOKEN_SECONDS }
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }
  try {
    return await home.request({ method: 'POST', path, body })
  } catch (cause) {
    if (!(cause instanceof KubeApiError)) throw cause
    throw new KubeConfigError(`no token of service account ${namespace}/${name}: ${cause.message}`, { cause })
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function failure(message: string, cause?: unknown): ReconcileError {
  return new ReconcileError('ReconciliationFailed', message, { cause })
}
