import type { AccessToken } from './azure.ts'
import { CloudError, loginFailed } from './errors.ts'
import { annotationOf, type KnownAccount } from './service-account.ts'

/** Where Google's token services are; other ones are for tests. */
export interface GcpEndpoints {
  /** Exchanges a token of Kubernetes for one of Google. */
  sts: string
  /** Hands out tokens of Google service accounts. */
  iamCredentials: string
}

export const GCP_ENDPOINTS: GcpEndpoints = {
  sts: 'https://sts.googleapis.com/v1/token',
  iamCredentials: 'https://iamcredentials.googleapis.com',
}

export const GCP_SCOPES: readonly string[] = [
  'https://www.googleapis.com/auth/cloud-platform',
  'https://www.googleapis.com/auth/userinfo.email',
]

const POOL = '[a-z0-9-]{1,100}'
const PROVIDER = {
  shape: new RegExp(
    `^((https:)?//iam\\.googleapis\\.com/)?projects/\\d{1,30}/locations/global/workloadIdentityPools/${POOL}/providers/${POOL}$`,
  ),
  example: 'projects/1234567890/locations/global/workloadIdentityPools/pool/providers/cluster',
}
const EMAIL = {
  shape: /^[a-zA-Z0-9-]{1,100}@[a-zA-Z0-9-]{1,100}\.iam\.gserviceaccount\.com$/,
  example: 'reader@project.iam.gserviceaccount.com',
}

/** Who a ServiceAccount is in Google Cloud. */
export interface GcpIdentity {
  /** Audience of the token of Kubernetes. */
  audience: string
  /** What Google's token service is asked for. */
  exchange: string
  /** The Google service account that it acts as; itself when undefined. */
  email: string | undefined
}

/** By the annotations of the account; by the cluster that this service runs on where they name no provider. @throws CloudError */
export async function gcpIdentityOf(account: KnownAccount): Promise<GcpIdentity> {
  const provider = annotationOf(account, 'gcp.auth.fluxcd.io/workload-identity-provider', PROVIDER)
  const email = annotationOf(account, 'iam.gke.io/gcp-service-account', EMAIL)
  if (provider === undefined) return { ...(await gkeAudiences(account)), email }
  const audience = `//iam.googleapis.com/${provider.slice(provider.indexOf('projects/'))}`
  return { audience, exchange: audience, email }
}

/** A token is for no project. Without a name, the SDK looks for one with programs that are not there. */
const NO_PROJECT = 'none'

/** The pod's own: application default credentials, or the metadata service. @throws CloudError */
export async function ownGcpToken(): Promise<AccessToken> {
  const { GoogleAuth } = await import('google-auth-library')
  try {
    const client = await new GoogleAuth({ scopes: [...GCP_SCOPES], projectId: NO_PROJECT }).getClient()
    const { token } = await client.getAccessToken()
    return toToken(token, client.credentials.expiry_date)
  } catch (cause) {
    throw loginFailed('Google Cloud gave no token to this service', cause)
  }
}

/** That of the account, or of the Google service account that it may act as. @throws CloudError */
export async function gcpTokenFor(
  account: KnownAccount,
  { exchange, email }: GcpIdentity,
  { token, endpoints }: { token: string; endpoints: GcpEndpoints },
): Promise<AccessToken> {
  const { IdentityPoolClient } = await import('google-auth-library')
  try {
    const client = new IdentityPoolClient({
      type: 'external_account',
      audience: exchange,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: endpoints.sts,
      scopes: [...GCP_SCOPES],
      subject_token_supplier: { getSubjectToken: async () => token },
      ...(email === undefined ? {} : { service_account_impersonation_url: actAs(endpoints, email) }),
    })
    const { token: accessToken } = await client.getAccessToken()
    return toToken(accessToken, client.credentials.expiry_date)
  } catch (cause) {
    throw loginFailed(
      `Google Cloud gave no token to ServiceAccount "${account.namespace}/${account.name}"`,
      cause,
    )
  }
}

function actAs({ iamCredentials }: GcpEndpoints, email: string): string {
  return `${iamCredentials}/v1/projects/-/serviceAccounts/${email}:generateAccessToken`
}

/** On GKE, the cluster itself is a provider. */
async function gkeAudiences({
  namespace,
  name,
}: KnownAccount): Promise<{ audience: string; exchange: string }> {
  const metadata = await import('gcp-metadata')
  try {
    const project: string = await metadata.project('project-id')
    const location: string = await metadata.instance('attributes/cluster-location')
    const cluster: string = await metadata.instance('attributes/cluster-name')
    const audience = `${project}.svc.id.goog`
    const provider = `https://container.googleapis.com/v1/projects/${project}/locations/${location}/clusters/${cluster}`
    return { audience, exchange: `identitynamespace:${audience}:${provider}` }
  } catch {
    throw new CloudError(
      'InvalidAccount',
      `ServiceAccount "${namespace}/${name}" has no annotation gcp.auth.fluxcd.io/workload-identity-provider, and this cluster is not GKE`,
    )
  }
}

function toToken(token: string | null | undefined, expiresAt: number | null | undefined): AccessToken {
  if (token === null || token === undefined || token === '')
    throw new CloudError('LoginFailed', 'the answer of Google Cloud holds no token')
  return { token, expiresAt: expiresAt ?? 0 }
}
