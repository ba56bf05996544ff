import { type ImageName, Keychain, parseDockerConfig, type RegistryAccess } from '@setpoint/registry'
import { AccessError } from './errors.ts'
import type { SecretValues } from './secret-values.ts'

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
    ...toTls(certSecret),
    ...toProxy(proxySecret),
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

function toTls(secret: SecretValues | undefined): Pick<RegistryAccess, 'caPem' | 'client'> {
  if (secret === undefined) return {}
  const [caPem, certPem, keyPem] = [
    secret.get('ca.crt', 'caFile'),
    secret.get('tls.crt', 'certFile'),
    secret.get('tls.key', 'keyFile'),
  ]
  if ((certPem === undefined) !== (keyPem === undefined))
    throw unusable(`Secret "${secret.name}" must have both tls.crt and tls.key, or none of them`)
  if (caPem === undefined && certPem === undefined)
    throw unusable(`Secret "${secret.name}" has neither ca.crt nor tls.crt and tls.key`)
  return {
    ...(caPem === undefined ? {} : { caPem }),
    ...(certPem === undefined || keyPem === undefined ? {} : { client: { certPem, keyPem } }),
  }
}

function toProxy(secret: SecretValues | undefined): Pick<RegistryAccess, 'proxy'> {
  if (secret === undefined) return {}
  const url = secret.get('address')
  if (url === undefined || !URL.canParse(url) || !/^https?:/.test(url))
    throw unusable(`Secret "${secret.name}" has no address such as http://proxy.example.com:3128`)
  return { proxy: { url, username: secret.get('username'), password: secret.get('password') } }
}

function unusable(message: string): AccessError {
  return new AccessError('UnusableSecret', message)
}
