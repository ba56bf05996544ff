import type { AzureSecret } from '@setpoint/cloud'
import type { SecretValues } from './secret-values.ts'
import { unusable } from './server.ts'

/** Who a Secret says to be at Entra ID; undefined when it holds no client. @throws AccessError when it says half of it */
export function azureSecretOf(secret: SecretValues): AzureSecret | undefined {
  const value = (key: string) => secret.get(key)
  const clientId = value('clientId')
  if (clientId === undefined) return undefined
  const tenantId = value('tenantId')
  if (tenantId === undefined) return { clientId }
  const common = { tenantId, clientId, authorityHost: value('authorityHost') }
  const [clientSecret, certificate] = [value('clientSecret'), value('clientCertificate')]
  if (clientSecret !== undefined) return { ...common, clientSecret }
  if (certificate === undefined)
    throw unusable(
      `Secret "${secret.name}" has tenantId and clientId without clientSecret or clientCertificate`,
    )
  if (!certificate.includes('-----BEGIN'))
    throw unusable(`clientCertificate of Secret "${secret.name}" must be PEM, with the key`)
  return {
    ...common,
    certificate,
    certificatePassword: value('clientCertificatePassword'),
    sendChain: value('clientCertificateSendChain') === '1' || value('clientCertificateSendChain') === 'true',
  }
}
