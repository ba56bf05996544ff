import type { Account } from '@setpoint/cloud'
import { parseYaml } from '@setpoint/manifest'
import { SopsError } from '@setpoint/sops'
import { VaultRefusal, vaultRequest } from './request.ts'
import type { VaultIdentity } from './vault.ts'

export interface VaultLogin {
  /** Who logs in, with the role `<namespace>_<name>`. */
  account: Account
  /** Servers that may be logged in to: the key `config.yaml` of a ConfigMap; undefined when it is missing. */
  readConfig(): Promise<string | undefined>
  /** Where that is, for messages. */
  place: string
  /** A token of the account for the server. */
  tokenFor(address: string, signal: AbortSignal): Promise<string>
}

/** Logs in to Vault with a token of a ServiceAccount, at servers that the operator trusts. */
export function vaultLogin({ account, readConfig, place, tokenFor }: VaultLogin): VaultIdentity {
  return async (address, signal) => {
    const loginPath = loginPathOf(await readConfig(), address)
    if (loginPath === undefined)
      throw new SopsError(
        'NoKey',
        `needs credentials: no login path for ${address} is in config.yaml of ${place}, and sops.vault-token is not in the Secret of spec.decryption`,
      )
    const role = `${account.namespace}_${account.name}`
    const body = { role, jwt: await tokenFor(address, signal) }
    const { auth } = await login(new URL(address), loginPath, { body, signal }, role)
    if (typeof auth?.client_token === 'string' && auth.client_token !== '') return auth.client_token
    throw new SopsError('NoKey', `cannot be asked: the login as role ${role} gave no token`)
  }
}

async function login(
  address: URL,
  path: string,
  request: { body: object; signal: AbortSignal },
  role: string,
): Promise<{ auth?: { client_token?: unknown } }> {
  try {
    return (await vaultRequest(address, path, request)) as { auth?: { client_token?: unknown } }
  } catch (error) {
    if (!(error instanceof VaultRefusal)) throw error
    throw new SopsError('NoKey', `cannot be asked: the login as role ${role} ${error.message}`)
  }
}

function loginPathOf(text: string | undefined, address: string): string | undefined {
  const { instances } = (parseYaml(text ?? '').documents[0]?.value ?? {}) as { instances?: unknown }
  const found = (Array.isArray(instances) ? instances : []).find((one) => one?.address === address)
  return typeof found?.loginPath === 'string' && found.loginPath !== '' ? found.loginPath : undefined
}
