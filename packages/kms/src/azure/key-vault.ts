import type { TokenCredential } from '@azure/identity'
import { type MasterKey, SopsError } from '@setpoint/sops'
import type { Provider } from '../provider.ts'
import { azureRefusal } from './refusal.ts'

/** Gives tokens, such as for `https://vault.azure.net/.default`. */
export type AzureIdentity = () => Promise<TokenCredential>

/** Keys of Azure Key Vault. */
export function azureKeyVault(identity: AzureIdentity): Provider {
  // As long as a build: one login, however many files.
  let credential: Promise<TokenCredential> | undefined
  return {
    kind: 'azure_kv',
    serverOf: (key) => vaultOf(key).host,
    load: () => Promise.all([import('@azure/keyvault-keys'), import('@azure/identity')]),
    decrypt: async (key, signal) => {
      const { CryptographyClient } = await import('@azure/keyvault-keys')
      credential ??= identity()
      // A whole key rather than its URL: what is known needs no right to read it.
      const client = new CryptographyClient(keyOf(key), await credential, { retryOptions: { maxRetries: 2 } })
      const ciphertext = Buffer.from(key.encrypted, 'base64url')
      const { result } = await client.decrypt(
        { algorithm: 'RSA-OAEP-256', ciphertext },
        { abortSignal: signal },
      )
      return result
    },
    refusal: azureRefusal,
  }
}

function keyOf(key: MasterKey) {
  const { name = '', version = '' } = key.fields
  const vaultUrl = vaultOf(key).origin
  const id = [vaultUrl, 'keys', name, version].filter((part) => part !== '').join('/')
  return { id, name, properties: { id, name, vaultUrl, ...(version === '' ? {} : { version }) } }
}

const NAME = /^[0-9a-zA-Z-]+$/

function vaultOf({ fields }: MasterKey): URL {
  const { vault_url = '', name = '', version = '' } = fields
  if (!URL.canParse(vault_url) || !NAME.test(name) || !(version === '' || NAME.test(version)))
    throw new SopsError('BadFile', 'is no key of a Key Vault')
  const url = new URL(vault_url)
  if (url.protocol !== 'https:' || url.username !== '')
    throw new SopsError('BadFile', 'must be at an https:// address without a user')
  return url
}
