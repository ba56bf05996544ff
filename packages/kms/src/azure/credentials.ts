import type { TokenCredential } from '@azure/identity'
import { SopsError } from '@setpoint/sops'
import { readMap } from '../read-map.ts'
import type { AzureIdentity } from './key-vault.ts'

type Fields = Readonly<Record<string, string>>

/** The key `sops.azure-kv` of a decryption Secret, in any form that Flux takes. @throws SopsError BadKey. */
export function readAzureIdentity(value: Uint8Array): AzureIdentity {
  const fields = readMap(value, 'YAML or JSON map with tenantId, clientId and clientSecret')
  const { tenantId = '', clientId = '', clientSecret = '', clientCertificate = '' } = fields
  const { tenant = '', appId = '', password = '' } = fields
  if (tenantId !== '' && clientId !== '' && clientSecret !== '')
    return withSecret(tenantId, clientId, clientSecret, fields)
  if (tenantId !== '' && clientId !== '' && clientCertificate !== '')
    return withCertificate(tenantId, clientId, fields)
  // What `az ad sp create-for-rbac` prints.
  if (tenant !== '' && appId !== '' && password !== '') return withSecret(tenant, appId, password, fields)
  if (clientId !== '') return managed(clientId)
  throw new SopsError(
    'BadKey',
    'lacks fields: it takes clientId alone (a managed identity), tenantId, clientId and clientSecret or clientCertificate, or tenant, appId and password',
  )
}

function withSecret(tenantId: string, clientId: string, secret: string, fields: Fields): AzureIdentity {
  const options = authorityOf(fields)
  return async () => {
    const { ClientSecretCredential } = await import('@azure/identity')
    return made(() => new ClientSecretCredential(tenantId, clientId, secret, options))
  }
}

function withCertificate(tenantId: string, clientId: string, fields: Fields): AzureIdentity {
  const {
    clientCertificate: certificate = '',
    clientCertificatePassword,
    clientCertificateSendChain,
  } = fields
  if (!certificate.includes('-----BEGIN'))
    throw new SopsError('BadKey', 'has a clientCertificate that is not PEM')
  const options = { ...authorityOf(fields), sendCertificateChain: clientCertificateSendChain === 'true' }
  const pem = {
    certificate,
    ...(clientCertificatePassword === undefined ? {} : { certificatePassword: clientCertificatePassword }),
  }
  return async () => {
    const { ClientCertificateCredential } = await import('@azure/identity')
    return made(() => new ClientCertificateCredential(tenantId, clientId, pem, options))
  }
}

function managed(clientId: string): AzureIdentity {
  return async () => {
    const { ManagedIdentityCredential } = await import('@azure/identity')
    return made(() => new ManagedIdentityCredential({ clientId }))
  }
}

/** The SDK checks what it is given, and quotes it. */
function made(make: () => TokenCredential): TokenCredential {
  try {
    return make()
  } catch {
    throw new SopsError(
      'NoKey',
      'cannot be asked: the fields of sops.azure-kv are not of the form that Azure wants',
    )
  }
}

/** Who writes the Secret decides whom it is for: another authority than Microsoft's own is not looked up there. */
function authorityOf({ authorityHost = '' }: Fields) {
  if (authorityHost === '') return {}
  if (!URL.canParse(authorityHost) || new URL(authorityHost).protocol !== 'https:')
    throw new SopsError('BadKey', 'has an authorityHost that is no https:// address')
  return { authorityHost, disableInstanceDiscovery: true }
}
