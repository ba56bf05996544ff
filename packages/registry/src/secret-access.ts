import type { RegistryAccess } from './access.ts'
import { Keychain, parseDockerConfig } from './docker-config.ts'
import { RegistryError } from './errors.ts'
import type { ImageName } from './image-name.ts'

/** The values of a Secret. */
export interface SecretTexts {
  /** `namespace/name`, for messages. */
  name: string
  /** The text of the first of these keys that has one. */
  get(...keys: string[]): string | undefined
}

export interface AccessSecrets {
  /** Secrets of type kubernetes.io/dockerconfigjson; the first one with an entry for the registry counts. */
  dockerConfigs: readonly SecretTexts[]
  /** With ca.crt, or tls.crt and tls.key. */
  tls?: SecretTexts | undefined
  /** With address, and username and password if need be. */
  proxy?: SecretTexts | undefined
  /** Plain HTTP. */
  insecure: boolean
}

/** How the registry of an image is reached. @throws RegistryError InvalidCredentials naming the Secret, never its values */
export function accessFromSecrets(image: ImageName, secrets: AccessSecrets): RegistryAccess {
  const keychain = secrets.dockerConfigs.reduce((all, secret) => all.with(keychainOf(secret)), new Keychain())
  return {
    insecure: secrets.insecure,
    credentials: keychain.find(image),
    ...toTls(secrets.tls),
    ...toProxy(secrets.proxy),
  }
}

function keychainOf(secret: SecretTexts): Keychain {
  const text = secret.get('.dockerconfigjson')
  if (text === undefined)
    throw unusable(secret, 'has no .dockerconfigjson; make it with kubectl create secret docker-registry')
  try {
    return parseDockerConfig(text)
  } catch (cause) {
    throw unusable(secret, cause instanceof RegistryError ? cause.message : 'cannot be read', { cause })
  }
}

function toTls(secret: SecretTexts | undefined): Pick<RegistryAccess, 'caPem' | 'client'> {
  if (secret === undefined) return {}
  const [caPem, certPem, keyPem] = [
    secret.get('ca.crt', 'caFile'),
    secret.get('tls.crt', 'certFile'),
    secret.get('tls.key', 'keyFile'),
  ]
  if ((certPem === undefined) !== (keyPem === undefined))
    throw unusable(secret, 'must have both tls.crt and tls.key, or none of them')
  if (caPem === undefined && certPem === undefined)
    throw unusable(secret, 'has neither ca.crt nor tls.crt and tls.key')
  return {
    ...(caPem === undefined ? {} : { caPem }),
    ...(certPem === undefined || keyPem === undefined ? {} : { client: { certPem, keyPem } }),
  }
}

function toProxy(secret: SecretTexts | undefined): Pick<RegistryAccess, 'proxy'> {
  if (secret === undefined) return {}
  const url = secret.get('address')
  if (url === undefined || !URL.canParse(url) || !/^https?:/.test(url))
    throw unusable(secret, 'has no address such as http://proxy.example.com:3128')
  return { proxy: { url, username: secret.get('username'), password: secret.get('password') } }
}

function unusable({ name }: SecretTexts, what: string, options?: ErrorOptions): RegistryError {
  return new RegistryError('InvalidCredentials', `Secret "${name}" ${what}`, options)
}
