import type { BucketAccess, BucketClient } from '@setpoint/bucket'
import { type BucketLogins, CloudError } from '@setpoint/cloud'
import type { BucketSpec } from '@setpoint/contracts'
import { azureSecretOf } from './azure-secret.ts'
import { accountOf, refuseForeignServer } from './cloud.ts'
import type { SecretValues } from './secret-values.ts'
import { proxyOf, tlsOf, unusable } from './server.ts'

/** What a Bucket is reached with. */
export interface BucketSettings {
  /** What `spec.secretRef`, `spec.certSecretRef` and `spec.proxySecretRef` name. */
  secret: SecretValues | undefined
  certSecret: SecretValues | undefined
  proxySecret: SecretValues | undefined
  /** What `spec.sts.secretRef` and `spec.sts.certSecretRef` name. */
  stsSecret: SecretValues | undefined
  stsCertSecret: SecretValues | undefined
  buckets: BucketClient
  logins: BucketLogins
  /** Of the object. */
  namespace: string
  signal: AbortSignal
  timeoutMs: number
}

/** How a bucket is reached, and as whom. @throws AccessError for a Secret that lacks something; CloudError */
export async function bucketAccessOf(spec: BucketSpec, settings: BucketSettings): Promise<BucketAccess> {
  const way = {
    endpoint: spec.endpoint,
    bucket: spec.bucketName,
    insecure: spec.insecure === true,
    ...tlsOf(settings.certSecret),
    proxy: proxyOf(settings.proxySecret),
  }
  const ask = APIS[spec.provider ?? 'generic'] ?? s3
  return { ...way, api: await ask(spec, settings, () => refuseForeign(spec, way)) }
}

type Api = NonNullable<BucketAccess['api']>
/** What is spoken, and the credentials; beforeIdentity is called before an identity of the cloud is used. */
type Ask = (spec: BucketSpec, settings: BucketSettings, beforeIdentity: () => void) => Promise<Api>

const s3: Ask = async (spec, settings) => ({
  kind: 's3',
  region: spec.region || undefined,
  credentials: settings.secret === undefined ? await ldapUser(spec, settings) : keysOf(settings.secret),
})

/** spec.sts with ldap: the server gives credentials to a user of its directory. */
async function ldapUser({ sts }: BucketSpec, settings: BucketSettings) {
  if (sts === undefined) return undefined
  const { stsSecret, stsCertSecret, proxySecret, logins, buckets, signal, timeoutMs } = settings
  const [username, password] = [stsSecret?.get('username'), stsSecret?.get('password')]
  if (username === undefined || password === undefined)
    throw unusable('spec.sts with provider ldap needs sts.secretRef: a Secret with username and password')
  const way = { ...tlsOf(stsCertSecret), proxy: proxyOf(proxySecret) }
  const user = { endpoint: sts.endpoint, username, password }
  const ask = (bounded: AbortSignal) =>
    buckets.askAsLdapUser(sts.endpoint, user, way, { timeoutMs, signal: bounded })
  return logins.temporary(user, ask, signal)
}

const aws: Ask = async (spec, settings, beforeIdentity) => {
  if (settings.secret !== undefined) return s3(spec, settings, beforeIdentity)
  beforeIdentity()
  const login = {
    ...loginOf(spec, settings),
    region: spec.region || undefined,
    stsEndpoint: spec.sts?.endpoint,
  }
  return { kind: 's3', ...(await settings.logins.aws(login, spec.endpoint)) }
}

const azure: Ask = async (spec, settings, beforeIdentity) => {
  const { secret, logins, signal } = settings
  const accountKey = secret?.get('accountKey')
  const sas = secret?.get('sasKey')
  const entra = secret && azureSecretOf(secret)
  if (entra !== undefined) {
    if (!('tenantId' in entra)) beforeIdentity()
    return { kind: 'blob', credentials: { token: await logins.azureBy(entra, spec.endpoint, signal) } }
  }
  if (accountKey !== undefined) return { kind: 'blob', credentials: { accountKey } }
  if (sas !== undefined) return { kind: 'blob', credentials: { sas: sas.trim() } }
  if (secret !== undefined)
    throw unusable(
      `Secret "${secret.name}" has none of accountKey, sasKey, and clientId with tenantId and clientSecret or clientCertificate`,
    )
  beforeIdentity()
  return {
    kind: 'blob',
    credentials: { token: await logins.azure(loginOf(spec, settings), spec.endpoint) },
  }
}

const gcp: Ask = async (spec, settings, beforeIdentity) => {
  const { secret, logins } = settings
  const key = secret?.get('serviceaccount')
  if (secret !== undefined && key === undefined)
    throw unusable(`Secret "${secret.name}" has no serviceaccount, the JSON key of a Google service account`)
  if (key === undefined) beforeIdentity()
  return { kind: 'gcs', token: await logins.gcp(loginOf(spec, settings), spec.endpoint, key) }
}

const APIS: Record<string, Ask> = { aws, azure, gcp }

const loginOf = (spec: BucketSpec, { namespace, signal }: BucketSettings) => ({
  account: accountOf(spec, namespace),
  signal,
})

function refuseForeign(spec: BucketSpec, way: BucketAccess): void {
  if (way.insecure === true || way.endpoint.startsWith('http:'))
    throw new CloudError('HostRefused', `provider ${spec.provider} needs TLS: remove spec.insecure`)
  refuseForeignServer(spec, way)
}

function keysOf(secret: SecretValues): { accessKeyId: string; secretAccessKey: string } {
  const [accessKeyId, secretAccessKey] = [secret.get('accesskey'), secret.get('secretkey')]
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw unusable(`Secret "${secret.name}" must have both accesskey and secretkey`)
  return { accessKeyId, secretAccessKey }
}
