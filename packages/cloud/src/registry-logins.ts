import type { AwsCredentials } from './aws.ts'
import type { CloudLogins, CloudProvider, Login } from './cloud-logins.ts'
import { ecrToken, readEcrHost } from './ecr.ts'
import { hostRefused } from './errors.ts'
import { UntilExpiry } from './until-expiry.ts'

/** What a registry takes as Basic authentication. */
export interface RegistryPassword {
  username: string
  password: string
}

export interface RegistryLogin extends Login {
  provider: CloudProvider
  /** Host of the registry, such as `123456789012.dkr.ecr.eu-west-1.amazonaws.com`. */
  host: string
  /** Asks an Azure registry itself for a refresh token, in exchange for an access token. */
  exchange(accessToken: string): Promise<string>
}

/** Logins to the registries of clouds; kept and shared as the credentials are that they are made of. */
export class RegistryLogins {
  private readonly logins: CloudLogins
  private readonly kept: UntilExpiry

  constructor(logins: CloudLogins, now: () => number) {
    this.logins = logins
    this.kept = new UntilExpiry(now)
  }

  /** @throws CloudError HostRefused when the host is no registry of the cloud, before anything is asked */
  get(login: RegistryLogin): Promise<RegistryPassword> {
    switch (login.provider) {
      case 'aws':
        return this.ecr(login)
      case 'azure':
        return this.acr(login)
      case 'gcp':
        return this.artifactRegistry(login)
    }
  }

  private async ecr({ host, account, signal }: RegistryLogin): Promise<RegistryPassword> {
    const registry = readEcrHost(host)
    if (registry === undefined)
      throw hostRefused(host, 'no registry of Amazon ECR', '<account>.dkr.ecr.<region>.amazonaws.com')
    const credentials = await this.logins.aws({ account, region: registry.region, signal })
    return this.kept.get(
      ['ecr', registry, identityOf(credentials)],
      () => ecrToken(registry, credentials),
      signal,
    )
  }

  private async acr({ host, account, signal, exchange }: RegistryLogin): Promise<RegistryPassword> {
    const domain = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(azurecr\.(?:io|cn|de|us))$/.exec(host)?.[1]
    if (domain === undefined)
      throw hostRefused(host, 'no registry of Azure Container Registry', '<name>.azurecr.io')
    const scope = `${ACR_MANAGERS[domain] ?? DEFAULT_ACR_MANAGER}/.default`
    const { token } = await this.logins.azure({ account, scope, signal })
    return this.kept.get(
      ['acr', host, token],
      async () => {
        const password = await exchange(token)
        return { value: { username: ACR_USER, password }, expiresAt: expiryOfJwt(password) }
      },
      signal,
    )
  }

  private async artifactRegistry({ host, account, signal }: RegistryLogin): Promise<RegistryPassword> {
    if (!/^(?:(?:[a-z0-9-]+\.)*gcr\.io|[a-z0-9-]+-docker\.pkg\.dev)$/.test(host))
      throw hostRefused(host, 'no registry of Google Artifact Registry', '<region>-docker.pkg.dev')
    const { token } = await this.logins.gcp({ account, signal })
    return { username: 'oauth2accesstoken', password: token }
  }
}

/** The user that stands for "with a token". */
const ACR_USER = '00000000-0000-0000-0000-000000000000'
const DEFAULT_ACR_MANAGER = 'https://management.azure.com'
/** Whose tokens the registries of other Azures take. */
const ACR_MANAGERS: Record<string, string> = {
  'azurecr.cn': 'https://management.chinacloudapi.cn',
  'azurecr.us': 'https://management.usgovcloudapi.net',
}

const identityOf = ({ accessKeyId, sessionToken = '' }: AwsCredentials) => [accessKeyId, sessionToken]

/** 0, which is not kept, when the token does not say. */
function expiryOfJwt(token: string): number {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
    const { exp } = JSON.parse(payload) as { exp?: unknown }
    return typeof exp === 'number' ? exp * 1000 : 0
  } catch {
    return 0
  }
}
