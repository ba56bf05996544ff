import { loginFailed } from './errors.ts'
import { type KnownAccount, requiredAnnotationOf } from './service-account.ts'

/** A bearer token. */
export interface AccessToken {
  token: string
  /** Milliseconds since the epoch; 0 when the cloud does not say. */
  expiresAt: number
}

export const AZURE_AUDIENCE = 'api://AzureADTokenExchange'

const ID = {
  shape: /^[0-9a-fA-F-]{1,64}$/,
  example: '00000000-0000-0000-0000-000000000000',
}

/** Who a ServiceAccount is in Entra ID. @throws CloudError InvalidAccount */
export function entraIdentityOf(account: KnownAccount): { tenantId: string; clientId: string } {
  return {
    tenantId: requiredAnnotationOf(account, 'azure.workload.identity/tenant-id', ID),
    clientId: requiredAnnotationOf(account, 'azure.workload.identity/client-id', ID),
  }
}

/** The pod's own: environment, workload identity, the managed identity of the node. @throws CloudError */
export async function ownAzureToken(scope: string, signal: AbortSignal): Promise<AccessToken> {
  const { DefaultAzureCredential } = await import('@azure/identity')
  try {
    return toToken(await new DefaultAzureCredential(KNOWN_AUTHORITY).getToken(scope, { abortSignal: signal }))
  } catch (cause) {
    throw loginFailed('Azure gave no token to this service', cause)
  }
}

/** That of the application that trusts a token of the account. @throws CloudError */
export async function azureTokenFor(
  account: KnownAccount,
  { token, scope, signal }: { token: string; scope: string; signal: AbortSignal },
): Promise<AccessToken> {
  const { tenantId, clientId } = entraIdentityOf(account)
  const { ClientAssertionCredential } = await import('@azure/identity')
  try {
    const credential = new ClientAssertionCredential(tenantId, clientId, async () => token, KNOWN_AUTHORITY)
    return toToken(await credential.getToken(scope, { abortSignal: signal }))
  } catch (cause) {
    throw loginFailed(
      `Azure refused client ${clientId} to ServiceAccount "${account.namespace}/${account.name}"`,
      cause,
    )
  }
}

/** AZURE_AUTHORITY_HOST comes from who runs this service: nobody else has to be asked whether it is right. */
export const KNOWN_AUTHORITY = { disableInstanceDiscovery: true }

export function toToken({
  token,
  expiresOnTimestamp,
}: {
  token: string
  expiresOnTimestamp: number
}): AccessToken {
  return { token, expiresAt: expiresOnTimestamp }
}
