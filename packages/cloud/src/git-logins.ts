import { createHash, createHmac } from 'node:crypto'
import type { AwsCredentials } from './aws.ts'
import type { CloudLogins, Login } from './cloud-logins.ts'
import { hostRefused } from './errors.ts'
import { UntilExpiry } from './until-expiry.ts'

/** What a Git server of a cloud takes. */
export type GitPassword = { username: string; password: string } | { bearerToken: string }

export interface GitLogin extends Login {
  /** Azure DevOps, or AWS CodeCommit. */
  provider: 'aws' | 'azure'
  /** Of the repository. */
  url: string
}

const AZURE_DEVOPS = '499b84ac-1321-427f-aa17-267ca6975798/.default'
/** CodeCommit takes a signature for a quarter of an hour. */
const SIGNATURE_LIFE_MS = 600_000

/** Logins to the Git servers of clouds. */
export class GitLogins {
  private readonly logins: CloudLogins
  private readonly now: () => number
  private readonly kept: UntilExpiry

  constructor(logins: CloudLogins, now: () => number) {
    this.logins = logins
    this.now = now
    this.kept = new UntilExpiry(now)
  }

  /** @throws CloudError HostRefused when the URL is none of the cloud's, before anything is asked */
  async get({ provider, url, account, signal }: GitLogin): Promise<GitPassword> {
    if (provider === 'aws') return this.codeCommit(new URL(url), { account, signal })
    if (!isAzureDevOps(new URL(url)))
      throw hostRefused(new URL(url).host, 'not Azure DevOps', 'https://dev.azure.com/…')
    return { bearerToken: (await this.logins.azure({ account, scope: AZURE_DEVOPS, signal })).token }
  }

  private async codeCommit(url: URL, login: Login): Promise<GitPassword> {
    const region = regionOf(url)
    if (region === undefined)
      throw hostRefused(
        url.host,
        'not AWS CodeCommit',
        'https://git-codecommit.<region>.amazonaws.com/v1/repos/…',
      )
    const credentials = await this.logins.aws({ ...login, region })
    return this.kept.get(
      [url.hostname, url.pathname, credentials.accessKeyId, credentials.sessionToken],
      async () => {
        const value = codeCommitPassword(url, { region, credentials, now: new Date(this.now()) })
        return { value, expiresAt: this.now() + SIGNATURE_LIFE_MS }
      },
      login.signal,
    )
  }
}

/** Only over TLS, and on its usual port. */
const isSecure = ({ protocol, port }: URL): boolean => protocol === 'https:' && port === ''

const isAzureDevOps = (url: URL): boolean =>
  isSecure(url) && (url.hostname === 'dev.azure.com' || url.hostname.endsWith('.visualstudio.com'))

function regionOf(url: URL): string | undefined {
  const host = /^git-codecommit(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/
  return isSecure(url) ? host.exec(url.hostname)?.[1] : undefined
}

/** User and password that CodeCommit takes: a signature, version 4, of a request with the method GIT. */
function codeCommitPassword(
  { hostname, pathname }: URL,
  { region, credentials, now }: { region: string; credentials: AwsCredentials; now: Date },
): GitPassword {
  const time = now.toISOString().replace(/[-:]|\..*$/g, '')
  const day = time.slice(0, 8)
  const request = `GIT\n${pathname}\n\nhost:${hostname}\n\nhost\n`
  const hash = createHash('sha256').update(request).digest('hex')
  const scope = `${day}/${region}/codecommit/aws4_request`
  const key = [day, region, 'codecommit', 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${credentials.secretAccessKey}`,
  )
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, hash].join('\n')).toString('hex')
  const { accessKeyId, sessionToken } = credentials
  const username = sessionToken === undefined ? accessKeyId : `${accessKeyId}%${sessionToken}`
  return { username, password: `${time}Z${signature}` }
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
