import type { HttpProxy, ServerAccess } from '@setpoint/http-agents'
import { AccessError } from './errors.ts'
import type { SecretValues } from './secret-values.ts'

/**
 * What `spec.certSecretRef` holds; nothing when it names no Secret.
 * @param names of the keys: the authority, the certificate and the key, each with older names
 * @throws AccessError
 */
export function tlsOf(
  secret: SecretValues | undefined,
  names: { ca: string[]; cert: string[]; key: string[] } = {
    ca: ['ca.crt'],
    cert: ['tls.crt'],
    key: ['tls.key'],
  },
): Pick<ServerAccess, 'caPem' | 'client'> {
  if (secret === undefined) return {}
  const [caPem, certPem, keyPem] = [names.ca, names.cert, names.key].map((keys) => secret.get(...keys))
  if ((certPem === undefined) !== (keyPem === undefined))
    throw unusable(`Secret "${secret.name}" must have both tls.crt and tls.key, or none of them`)
  if (caPem === undefined && certPem === undefined)
    throw unusable(`Secret "${secret.name}" has neither ca.crt nor tls.crt and tls.key`)
  return {
    ...(caPem === undefined ? {} : { caPem }),
    ...(certPem === undefined || keyPem === undefined ? {} : { client: { certPem, keyPem } }),
  }
}

/** What `spec.proxySecretRef` holds; undefined when it names no Secret. @throws AccessError */
export function proxyOf(secret: SecretValues | undefined): HttpProxy | undefined {
  if (secret === undefined) return undefined
  const url = secret.get('address')
  if (url === undefined || !URL.canParse(url) || !/^https?:/.test(url))
    throw unusable(`Secret "${secret.name}" has no address such as http://proxy.example.com:3128`)
  return { url, username: secret.get('username'), password: secret.get('password') }
}

/** A Secret that lacks something; the message names it, and shows no value of it. */
export function unusable(message: string): AccessError {
  return new AccessError('UnusableSecret', message)
}
