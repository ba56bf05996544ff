import { type AccessToken, KNOWN_AUTHORITY, toToken } from './azure.ts'
import { CloudError, loginFailed } from './errors.ts'

/** Who logs in at Entra ID by a Secret: with a secret or a certificate, or as a managed identity of the node. */
export type AzureSecret = { authorityHost?: string | undefined } & (
  | { tenantId: string; clientId: string; clientSecret: string }
  | {
      tenantId: string
      clientId: string
      /** PEM of the certificate and its key. */
      certificate: string
      certificatePassword?: string | undefined
      sendChain?: boolean
    }
  | { clientId: string }
)

/** Where Entra ID is, in each of the Azures. */
const AUTHORITIES: ReadonlySet<string> = new Set([
  'login.microsoftonline.com',
  'login.chinacloudapi.cn',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
])

/** @throws CloudError */
export async function azureTokenBy(
  secret: AzureSecret,
  scope: string,
  signal: AbortSignal,
): Promise<AccessToken> {
  const credential = await azureCredential(secret, { ...KNOWN_AUTHORITY, ...authorityOf(secret) })
  try {
    return toToken(await credential.getToken(scope, { abortSignal: signal }))
  } catch (cause) {
    throw loginFailed(`Azure gave no token to client ${secret.clientId}`, cause)
  }
}

/** What the SDK takes for a Secret. @param authority where Entra ID is, checked by who calls; not asked for a managed identity */
export async function azureCredential(
  secret: AzureSecret,
  authority: { authorityHost?: string; disableInstanceDiscovery?: boolean },
) {
  const { ClientCertificateCredential, ClientSecretCredential, ManagedIdentityCredential } = await import(
    '@azure/identity'
  )
  if (!('tenantId' in secret)) return new ManagedIdentityCredential({ clientId: secret.clientId })
  const { tenantId, clientId } = secret
  if ('clientSecret' in secret)
    return new ClientSecretCredential(tenantId, clientId, secret.clientSecret, authority)
  const { certificate, certificatePassword, sendChain = false } = secret
  return new ClientCertificateCredential(
    tenantId,
    clientId,
    { certificate, ...(certificatePassword === undefined ? {} : { certificatePassword }) },
    { ...authority, sendCertificateChain: sendChain },
  )
}

/** A Secret may choose between the Azures, and name no other server to be asked. */
function authorityOf({ authorityHost }: AzureSecret): { authorityHost?: string } {
  if (authorityHost === undefined) return {}
  const url = URL.parse(authorityHost.includes('://') ? authorityHost : `https://${authorityHost}`)
  if (url?.protocol === 'https:' && url.port === '' && AUTHORITIES.has(url.hostname))
    return { authorityHost: url.origin }
  throw new CloudError('HostRefused', `authorityHost must be one of ${[...AUTHORITIES].join(', ')}`)
}
