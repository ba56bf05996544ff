import { type AzureSecret, azureCredential } from '@setpoint/cloud'
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
    return identityOf({ tenantId, clientId, clientSecret }, authorityOf(fields))
  if (tenantId !== '' && clientId !== '' && clientCertificate !== '')
    return identityOf({ tenantId, clientId, ...certificateOf(fields) }, authorityOf(fields))
  // What `az ad sp create-for-rbac` prints.
  if (tenant !== '' && appId !== '' && password !== '')
    return identityOf({ tenantId: tenant, clientId: appId, clientSecret: password }, authorityOf(fields))
  if (clientId !== '') return identityOf({ clientId }, {})
  throw new SopsError(
    'BadKey',
    'lacks fields: it takes clientId alone (a managed identity), tenantId, clientId and clientSecret or clientCertificate, or tenant, appId and password',
  )
}

function certificateOf({
  clientCertificate: certificate = '',
  clientCertificatePassword: certificatePassword,
  clientCertificateSendChain,
}: Fields) {
  if (!certificate.includes('-----BEGIN'))
    throw new SopsError('BadKey', 'has a clientCertificate that is not PEM')
  return { certificate, certificatePassword, sendChain: clientCertificateSendChain === 'true' }
}

/** The SDK checks what it is given, and quotes it. */
function identityOf(secret: AzureSecret, authority: ReturnType<typeof authorityOf>): AzureIdentity {
  return async () => {
    try {
      return await azureCredential(secret, authority)
    } catch {
      throw new SopsError(
        'NoKey',
        'cannot be asked: the fields of sops.azure-kv are not of the form that Azure wants',
      )
    }
  }
}

/** Who writes the Secret decides whom it is for: another authority than Microsoft's own is not looked up there. */
function authorityOf({ authorityHost = '' }: Fields): {
  authorityHost?: string
  disableInstanceDiscovery?: boolean
} {
  if (authorityHost === '') return {}
  if (!URL.canParse(authorityHost) || new URL(authorityHost).protocol !== 'https:')
    throw new SopsError('BadKey', 'has an authorityHost that is no https:// address')
  return { authorityHost, disableInstanceDiscovery: true }
}
