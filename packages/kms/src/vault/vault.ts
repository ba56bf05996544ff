import { type MasterKey, SopsError } from '@setpoint/sops'
import type { Provider } from '../provider.ts'
import { VaultRefusal, vaultRequest } from './request.ts'

/** A token, or where to get one for the server at an address. */
export type VaultIdentity = string | ((address: string, signal: AbortSignal) => Promise<string>)

/** Keys of a transit engine of HashiCorp Vault or OpenBao, at the server that the file names. */
export function vaultTransit(identity: VaultIdentity): Provider {
  // As long as a build: one login for each server.
  const tokens = new Map<string, Promise<string>>()
  const tokenFor = (address: string, signal: AbortSignal) => {
    if (typeof identity === 'string') return identity
    const token = tokens.get(address) ?? identity(address, signal)
    tokens.set(address, token)
    return token
  }
  return {
    kind: 'hc_vault',
    serverOf: (key) => addressOf(key).host,
    load: async () => undefined,
    decrypt: async (key, signal) => {
      const token = await tokenFor(key.fields.vault_address ?? '', signal)
      const { data } = (await vaultRequest(addressOf(key), pathOf(key), {
        token,
        body: { ciphertext: key.encrypted },
        signal,
      })) as { data?: { plaintext?: unknown } }
      if (typeof data?.plaintext !== 'string')
        throw new SopsError('NoKey', 'sent an answer without a data key')
      return Buffer.from(data.plaintext, 'base64')
    },
    refusal: (error) => (error instanceof VaultRefusal ? error.message : undefined),
  }
}

function addressOf({ fields }: MasterKey): URL {
  const { vault_address = '' } = fields
  const url = URL.canParse(vault_address) ? new URL(vault_address) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '')
    throw new SopsError('BadFile', 'is at no address of Vault')
  return url
}

function pathOf({ fields: { engine_path = '', key_name = '' } }: MasterKey): string {
  return `${engine_path}/decrypt/${key_name}`
}
