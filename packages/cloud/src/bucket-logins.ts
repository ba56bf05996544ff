import type { AwsCredentials } from './aws.ts'
import { type AzureSecret, azureTokenBy } from './azure-secret.ts'
import type { AwsLogin, CloudLogins, Login } from './cloud-logins.ts'
import { hostRefused } from './errors.ts'
import { gcpTokenBy } from './gcp-secret.ts'
import { UntilExpiry } from './until-expiry.ts'

const AZURE_STORAGE = 'https://storage.azure.com/.default'

/** Logins to the object stores of clouds. Those by an identity are for hosts of the cloud alone. */
export class BucketLogins {
  private readonly logins: CloudLogins
  private readonly kept: UntilExpiry

  constructor(logins: CloudLogins, now: () => number) {
    this.logins = logins
    this.kept = new UntilExpiry(now)
  }

  /** @param region of the bucket; where its host names one, that one @throws CloudError HostRefused, … */
  async aws(
    { region, stsEndpoint, ...login }: AwsLogin,
    endpoint: string,
  ): Promise<{ credentials: AwsCredentials; region: string }> {
    const named = S3.exec(endpoint)
    if (named === null) throw hostRefused(endpoint, 'not Amazon S3', 's3.<region>.amazonaws.com')
    if (stsEndpoint !== undefined && !STS.test(stsEndpoint))
      throw hostRefused(stsEndpoint, 'not the token service of AWS', 'https://sts.<region>.amazonaws.com')
    const place = region ?? named[1] ?? 'us-east-1'
    return { credentials: await this.logins.aws({ ...login, region: place, stsEndpoint }), region: place }
  }

  /** @throws CloudError HostRefused, … */
  async azure(login: Login, endpoint: string): Promise<string> {
    refuseUnlessBlob(endpoint)
    return (await this.logins.azure({ ...login, scope: AZURE_STORAGE })).token
  }

  /** By what a Secret holds. A managed identity is the node's own: for hosts of Azure alone. @throws CloudError */
  async azureBy(secret: AzureSecret, endpoint: string, signal: AbortSignal): Promise<string> {
    if (!('tenantId' in secret)) refuseUnlessBlob(endpoint)
    return this.kept.get(
      secret,
      async (bounded) => {
        const { token, expiresAt } = await azureTokenBy(secret, AZURE_STORAGE, bounded)
        return { value: token, expiresAt }
      },
      signal,
    )
  }

  /** Temporary credentials that a server gives to a user of its own; kept until shortly before they end. */
  async temporary<T extends { expiresAt: number }>(
    user: { endpoint: string; username: string; password: string },
    ask: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const make = async (bounded: AbortSignal) => {
      const value = await ask(bounded)
      return { value, expiresAt: Number.isNaN(value.expiresAt) ? 0 : value.expiresAt }
    }
    return this.kept.get(user, make, signal)
  }

  /** By the identity, or by the key of a service account. @throws CloudError HostRefused, … */
  async gcp(login: Login, endpoint: string, keyJson: string | undefined): Promise<string> {
    if (endpoint !== 'storage.googleapis.com')
      throw hostRefused(endpoint, 'not Google Cloud Storage', 'storage.googleapis.com')
    return keyJson === undefined ? (await this.logins.gcp(login)).token : gcpTokenBy(keyJson)
  }
}

const S3 =
  /^(?:bucket\.vpce-[a-z0-9-]+\.)?s3(?:-fips)?(?:\.dualstack)?(?:[.-]([a-z]{2}(?:-[a-z]+)+-\d))?(?:\.vpce)?\.amazonaws\.com(?:\.cn)?$/

const STS =
  /^https:\/\/(?:vpce-[a-z0-9-]+\.)?sts(?:-fips)?(?:\.[a-z]{2}(?:-[a-z]+)+-\d)?(?:\.vpce)?\.amazonaws\.com(?:\.cn)?$/

const BLOB =
  /^https:\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)?\.blob\.(?:core\.windows\.net|core\.chinacloudapi\.cn|core\.usgovcloudapi\.net|storage\.azure\.net)\/*$/

function refuseUnlessBlob(endpoint: string): void {
  const url = endpoint.includes('://') ? endpoint : `https://${endpoint}`
  if (!BLOB.test(url))
    throw hostRefused(endpoint, 'not Azure Blob Storage', 'https://<account>.blob.core.windows.net')
}
