import type { KubeClient } from '@setpoint/kube'
import { AWS_AUDIENCE, type AwsCredentials, assumeRole, ownAwsCredentials, roleOf } from './aws.ts'
import { type AccessToken, AZURE_AUDIENCE, azureTokenFor, entraIdentityOf, ownAzureToken } from './azure.ts'
import { CloudError } from './errors.ts'
import { GCP_ENDPOINTS, type GcpEndpoints, gcpIdentityOf, gcpTokenFor, ownGcpToken } from './gcp.ts'
import {
  type Account,
  type KnownAccount,
  readAccount,
  requestToken,
  TOKEN_SECONDS,
} from './service-account.ts'
import { UntilExpiry } from './until-expiry.ts'

export type CloudProvider = 'aws' | 'azure' | 'gcp'

/** Flux's name of the gate, for messages. */
const GATE = 'ObjectLevelWorkloadIdentity'

export interface CloudLoginsOptions {
  /** Reads ServiceAccounts and asks for their tokens. */
  kube: KubeClient
  /** Milliseconds since the epoch. */
  now(): number
  /** Whether objects may name a ServiceAccount whose identity is used. */
  objectLevel: boolean
  /** For tests. */
  gcpEndpoints?: GcpEndpoints
}

/** Whose identity is used, and how long one waits for it. */
export interface Login {
  /** The pod's own identity when undefined. */
  account?: Account | undefined
  signal: AbortSignal
}

export interface AwsLogin extends Login {
  region?: string | undefined
  stsEndpoint?: string | undefined
}

/**
 * Credentials of clouds, by the pod's own identity or by that of a ServiceAccount. They are kept until shortly before
 * they expire and shared by all who ask; a ServiceAccount is read each time, so that a right that is taken away is gone.
 * The SDK of a cloud is loaded when it is first asked. Every method throws CloudError.
 */
export class CloudLogins {
  private readonly options: CloudLoginsOptions
  private readonly kept: UntilExpiry

  constructor(options: CloudLoginsOptions) {
    this.options = options
    this.kept = new UntilExpiry(options.now)
  }

  /**
   * @param login.region where the token service is asked; needed with an account
   * @param login.stsEndpoint of the token service, if it is not the usual one of the region; checked by who calls
   */
  async aws({ account, region, stsEndpoint, signal }: AwsLogin): Promise<AwsCredentials> {
    const known = await this.known(account, signal)
    const key = keyOf('aws', known && { ...known, identity: roleOf(known) }, region, stsEndpoint)
    return this.kept.get(
      key,
      async (bounded) => {
        const value =
          known === undefined
            ? await ownAwsCredentials({ region, endpoint: stsEndpoint })
            : await assumeRole(known, await this.token(known, AWS_AUDIENCE, bounded), {
                region,
                endpoint: stsEndpoint,
              })
        return { value, expiresAt: value.expiration?.getTime() }
      },
      signal,
    )
  }

  /** @param scope such as `https://vault.azure.net/.default` */
  async azure({ account, scope, signal }: Login & { scope: string }): Promise<AccessToken> {
    const known = await this.known(account, signal)
    const key = keyOf('azure', known && { ...known, identity: entraIdentityOf(known) }, scope)
    return this.kept.get(
      key,
      async (bounded) => {
        const value =
          known === undefined
            ? await ownAzureToken(scope, bounded)
            : await azureTokenFor(known, {
                token: await this.token(known, AZURE_AUDIENCE, bounded),
                scope,
                signal: bounded,
              })
        return { value, expiresAt: value.expiresAt }
      },
      signal,
    )
  }

  /** For all of Google Cloud (scope cloud-platform). */
  async gcp({ account, signal }: Login): Promise<AccessToken> {
    const { gcpEndpoints: endpoints = GCP_ENDPOINTS } = this.options
    const known = await this.known(account, signal)
    const identity = known && (await gcpIdentityOf(known))
    return this.kept.get(
      keyOf('gcp', known && { ...known, identity }),
      async (bounded) => {
        const value =
          known === undefined || identity === undefined
            ? await ownGcpToken()
            : await gcpTokenFor(known, identity, {
                token: await this.token(known, identity.audience, bounded),
                endpoints,
              })
        return { value, expiresAt: value.expiresAt }
      },
      signal,
    )
  }

  /** A token of the account itself, for whoever trusts this cluster's API server. */
  async kubernetes({
    account,
    audience,
    signal,
  }: Login & { account: Account; audience: string }): Promise<AccessToken> {
    const known = (await this.known(account, signal)) as KnownAccount
    const key = keyOf('kubernetes', { ...known, identity: undefined }, audience)
    return this.kept.get(
      key,
      async (bounded) => {
        const expiresAt = this.options.now() + TOKEN_SECONDS * 1000
        const value = { token: await this.token(known, audience, bounded), expiresAt }
        return { value, expiresAt }
      },
      signal,
    )
  }

  private async known(account: Account | undefined, signal: AbortSignal): Promise<KnownAccount | undefined> {
    if (account === undefined) return undefined
    if (!this.options.objectLevel)
      throw new CloudError(
        'FeatureGateDisabled',
        `to use spec.serviceAccountName for provider authentication please enable the ${GATE} feature gate in the controller (--object-level-workload-identity)`,
      )
    return readAccount(this.options.kube, account, signal)
  }

  private token(account: KnownAccount, audience: string, signal: AbortSignal): Promise<string> {
    return requestToken(this.options.kube, account, audience, signal)
  }
}

/** What a credential was given for; another identity of the account makes another one. */
function keyOf(
  provider: CloudProvider | 'kubernetes',
  account: (KnownAccount & { identity: unknown }) | undefined,
  ...rest: unknown[]
): unknown[] {
  const who = account && [account.namespace, account.name, account.uid, account.identity]
  return [provider, who, ...rest]
}
