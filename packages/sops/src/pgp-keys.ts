import type { PrivateKey } from 'openpgp'
import { SopsError } from './error.ts'
import type { KeyService } from './master-key.ts'

/**
 * Data keys by PGP private keys, armored or binary.
 * @throws SopsError BadKey when one cannot be read, or is protected by a passphrase.
 */
export async function pgpKeys(files: readonly Uint8Array[]): Promise<KeyService> {
  if (files.length === 0) return { kinds: ['pgp'], decrypt: async () => undefined }
  // Large, and most processes never decrypt anything.
  const { decrypt, readMessage } = await import('openpgp')
  const decryptionKeys = (await Promise.all(files.map(readKeys))).flat()
  return {
    kinds: ['pgp'],
    decrypt: async ({ encrypted }) => {
      try {
        const message = await readMessage({ armoredMessage: encrypted })
        const { data } = await decrypt({ message, decryptionKeys, format: 'binary' })
        return data as Uint8Array
      } catch {
        return undefined
      }
    },
  }
}

async function readKeys(file: Uint8Array): Promise<PrivateKey[]> {
  const { readPrivateKeys } = await import('openpgp')
  const text = Buffer.from(file).toString('latin1')
  const reading = text.includes('-----BEGIN PGP')
    ? readPrivateKeys({ armoredKeys: text })
    : readPrivateKeys({ binaryKeys: file })
  const keys = await reading.catch(() => {
    throw new SopsError('BadKey', 'is no PGP private key')
  })
  if (keys.some((key) => !key.isDecrypted()))
    throw new SopsError('BadKey', 'is protected by a passphrase; export the key without one')
  return keys
}
