import type { Account, CloudLogins } from '@setpoint/cloud'
import { SopsError } from '@setpoint/sops'
import type { Identities } from './key-services.ts'

/** Asks the clouds as an account, or as this service itself when it is undefined. */
export function cloudIdentities(
  clouds: CloudLogins,
  account: Account | undefined,
): Pick<Identities, 'kms' | 'azure_kv' | 'gcp_kms'> {
  return {
    kms: (region, signal) => clouds.aws({ account, region, signal }),
    azure_kv: async () => ({
      getToken: async (scopes, { abortSignal: signal = AbortSignal.timeout(LOGIN_MS) } = {}) => {
        const scope = [scopes].flat()[0] ?? ''
        if (!VAULT.test(scope))
          throw new SopsError('NoKey', 'was not asked: its server is no Key Vault of Azure')
        const { token, expiresAt } = await clouds.azure({ account, scope, signal: signal as AbortSignal })
        return { token, expiresOnTimestamp: expiresAt }
      },
    }),
    gcp_kms: async (signal) => (await clouds.gcp({ account, signal })).token,
  }
}

const LOGIN_MS = 10_000
/** A token for anything else is nobody's business who names a server in a file. */
const VAULT = /^https:\/\/(?:vault|managedhsm)\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)\/\.default$/
