import type { ImageRepository } from '@setpoint/contracts'
import { ReconcileError } from '@setpoint/reconcile'
import { type ImageName, Keychain, parseDockerConfig, type RegistryAccess } from '@setpoint/registry'
import type { ImageContext } from '../context.ts'
import { readSecret, type SecretValues } from '../secret.ts'

const SERVICE_ACCOUNT = { group: '', version: 'v1', kind: 'ServiceAccount' }
const REASON = 'AuthenticationFailed'
const MAX_PULL_SECRETS = 20

/** How the registry of an ImageRepository is reached. @throws ReconcileError for a Secret that cannot be used */
export async function readAccess(
  context: ImageContext,
  { metadata, spec }: ImageRepository,
  image: ImageName,
  signal: AbortSignal,
): Promise<RegistryAccess> {
  const namespace = metadata.namespace ?? ''
  const secret = (reference: { name: string } | undefined) =>
    readSecret(context, namespace, reference, { signal, reason: REASON })
  const keychain = keychainOf(await secret(spec.secretRef)).with(
    await pullSecrets(context, namespace, spec.serviceAccountName, signal),
  )
  return {
    insecure: spec.insecure === true,
    credentials: keychain.find(image),
    ...toTls(await secret(spec.certSecretRef)),
    ...toProxy(await secret(spec.proxySecretRef)),
  }
}

function keychainOf(secret: SecretValues | undefined): Keychain {
  if (secret === undefined) return new Keychain()
  const text = secret.get('.dockerconfigjson')
  if (text === undefined)
    throw new ReconcileError(
      REASON,
      `Secret "${secret.name}" has no .dockerconfigjson; make it with kubectl create secret docker-registry`,
    )
  try {
    return parseDockerConfig(text)
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : 'cannot be read'
    throw new ReconcileError(REASON, `Secret "${secret.name}": ${what}`, { cause })
  }
}

/** The credentials of a ServiceAccount's imagePullSecrets. */
async function pullSecrets(
  context: ImageContext,
  namespace: string,
  name: string | undefined,
  signal: AbortSignal,
): Promise<Keychain> {
  if (name === undefined || name === '') return new Keychain()
  const account = await context.kube.get(SERVICE_ACCOUNT, { namespace, name }, { signal })
  if (account === undefined)
    throw new ReconcileError(REASON, `ServiceAccount "${namespace}/${name}" does not exist`)
  const references = Array.isArray(account.imagePullSecrets) ? account.imagePullSecrets : []
  let all = new Keychain()
  for (const reference of references.slice(0, MAX_PULL_SECRETS))
    if (isReference(reference))
      all = all.with(keychainOf(await readSecret(context, namespace, reference, { signal, reason: REASON })))
  return all
}

function isReference(value: unknown): value is { name: string } {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string'
}

function toTls(secret: SecretValues | undefined): Pick<RegistryAccess, 'caPem' | 'client'> {
  if (secret === undefined) return {}
  const [caPem, certPem, keyPem] = [
    secret.get('ca.crt', 'caFile'),
    secret.get('tls.crt', 'certFile'),
    secret.get('tls.key', 'keyFile'),
  ]
  if ((certPem === undefined) !== (keyPem === undefined))
    throw new ReconcileError(
      REASON,
      `Secret "${secret.name}" must have both tls.crt and tls.key, or none of them`,
    )
  if (caPem === undefined && certPem === undefined)
    throw new ReconcileError(REASON, `Secret "${secret.name}" has neither ca.crt nor tls.crt and tls.key`)
  return {
    ...(caPem === undefined ? {} : { caPem }),
    ...(certPem === undefined || keyPem === undefined ? {} : { client: { certPem, keyPem } }),
  }
}

function toProxy(secret: SecretValues | undefined): Pick<RegistryAccess, 'proxy'> {
  if (secret === undefined) return {}
  const url = secret.get('address')
  if (url === undefined || !URL.canParse(url) || !/^https?:/.test(url))
    throw new ReconcileError(
      REASON,
      `Secret "${secret.name}" has no address such as http://proxy.example.com:3128`,
    )
  return { proxy: { url, username: secret.get('username'), password: secret.get('password') } }
}
