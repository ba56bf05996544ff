import { type ImageName, Keychain, parseDockerConfig, type RegistryAccess } from '@setpoint/registry'
import type { SecretValues } from './secret-values.ts'
import { proxyOf, tlsOf, unusable } from './server.ts'

/** Flux still takes the keys that it had before those of kubernetes.io/tls. */
const OLD_AND_NEW_NAMES = {
  ca: ['ca.crt', 'caFile'],
  cert: ['tls.crt', 'certFile'],
  key: ['tls.key', 'keyFile'],
}

/** The Secrets that an ImageRepository or an OCIRepository names; undefined for those that it does not name. */
export interface RegistrySecrets {
  secret: SecretValues | undefined
  /** imagePullSecrets of its ServiceAccount; asked where `secret` knows no credentials. */
  pullSecrets: readonly SecretValues[]
  certSecret: SecretValues | undefined
  proxySecret: SecretValues | undefined
}

/** How a registry is reached. @throws AccessError */
export function registryAccessOf(
  spec: { insecure?: boolean },
  image: ImageName,
  { secret, pullSecrets, certSecret, proxySecret }: RegistrySecrets,
): RegistryAccess {
  const keychain = pullSecrets.reduce(
    (all, pullSecret) => all.with(keychainOf(pullSecret)),
    secret === undefined ? new Keychain() : keychainOf(secret),
  )
  return {
    insecure: spec.insecure === true,
    credentials: keychain.find(image),
    ...tlsOf(certSecret, OLD_AND_NEW_NAMES),
    ...(proxySecret === undefined ? {} : { proxy: proxyOf(proxySecret) }),
  }
}

function keychainOf(secret: SecretValues): Keychain {
  const text = secret.get('.dockerconfigjson')
  if (text === undefined)
    throw unusable(
      `Secret "${secret.name}" has no .dockerconfigjson; make it with kubectl create secret docker-registry`,
    )
  try {
    return parseDockerConfig(text)
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : 'cannot be read'
    throw unusable(`Secret "${secret.name}": ${what}`)
  }
}

/** Names that Secrets of an object's namespace are asked for with. */
interface RegistryReferences {
  secretRef?: { name: string }
  certSecretRef?: { name: string }
  proxySecretRef?: { name: string }
  serviceAccountName?: string
}

/** Pull secrets of a ServiceAccount that are looked into. */
const MAX_PULL_SECRETS = 20

/**
 * The Secrets that an ImageRepository or an OCIRepository names, read by who calls.
 * @param read.secret a Secret of the object's namespace; undefined when none is named
 * @param read.account a ServiceAccount of that namespace; both throw for what does not exist
 */
export async function readRegistrySecrets(
  { secretRef, serviceAccountName, certSecretRef, proxySecretRef }: RegistryReferences,
  read: {
    secret(reference: { name: string } | undefined): Promise<SecretValues | undefined>
    account(name: string): Promise<object>
  },
): Promise<RegistrySecrets> {
  const secret = await read.secret(secretRef)
  const pullSecrets: SecretValues[] = []
  for (const reference of serviceAccountName ? pullReferences(await read.account(serviceAccountName)) : []) {
    const pullSecret = await read.secret(reference)
    if (pullSecret !== undefined) pullSecrets.push(pullSecret)
  }
  return {
    secret,
    pullSecrets,
    certSecret: await read.secret(certSecretRef),
    proxySecret: await read.secret(proxySecretRef),
  }
}

function pullReferences(account: { imagePullSecrets?: unknown }): { name: string }[] {
  const references = Array.isArray(account.imagePullSecrets) ? account.imagePullSecrets : []
  return references.filter(isReference).slice(0, MAX_PULL_SECRETS)
}

function isReference(value: unknown): value is { name: string } {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string'
}
