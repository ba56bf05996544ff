import { createHash, type Hash } from 'node:crypto'
import { decryptValue } from './cipher.ts'
import type { EncryptedFile } from './encrypted-file.ts'
import { SopsError } from './error.ts'
import type { Metadata } from './metadata.ts'
import { encryptionRule } from './rules.ts'
import { type Leaf, leafBytes, type Visit } from './value.ts'

/** What the MAC begins with when it covers encrypted values alone: SHA-256 of `sops`. */
const ONLY_ENCRYPTED = createHash('sha256').update('sops').digest()

/**
 * Decrypts the values of a file in place.
 * @throws SopsError BadValue naming the path of a value; BadMac when the file was changed since it was encrypted.
 */
export function decryptFile(
  file: EncryptedFile,
  dataKey: Uint8Array,
  { checkMac }: { checkMac: boolean },
): void {
  const { metadata } = file
  const hash = createHash('sha512')
  if (metadata.macOnlyEncrypted) hash.update(ONLY_ENCRYPTED)
  file.walk(decryption(metadata, dataKey, hash), (comment, path) => decryptComment(comment, path, dataKey))
  if (checkMac) compareMac(metadata, dataKey, hash.digest('hex').toUpperCase())
}

/** What decrypts each leaf of a tree. The decrypted ones go into the hash, in the order that they are visited. */
export function decryption(metadata: Metadata, dataKey: Uint8Array, hash?: Hash): Visit {
  const encrypted = encryptionRule(metadata.rule)
  return (leaf, path) => {
    const isEncrypted = encrypted(leaf, path)
    const value = isEncrypted ? decryptLeaf(leaf, path, dataKey) : leaf
    if (isEncrypted || !metadata.macOnlyEncrypted) hash?.update(leafBytes(value))
    return value
  }
}

function decryptLeaf(leaf: Leaf, path: readonly string[], dataKey: Uint8Array): Leaf {
  try {
    if (typeof leaf !== 'string') throw new SopsError('BadValue', 'is not encrypted, although it should be')
    return decryptValue(leaf, dataKey, placeOf(path))
  } catch (error) {
    if (!(error instanceof SopsError)) throw error
    throw new SopsError(error.code, `the value ${path.join('.')} ${error.message}`)
  }
}

/** Undefined when it is not encrypted. */
function decryptComment(comment: string, path: readonly string[], dataKey: Uint8Array): string | undefined {
  try {
    return String(decryptValue(comment, dataKey, placeOf(path)))
  } catch {
    return undefined
  }
}

const placeOf = (path: readonly string[]): string => `${path.join(':')}:`

function compareMac({ mac, lastModified }: Metadata, dataKey: Uint8Array, computed: string): void {
  const expected = mac === '' ? '' : storedMac(mac, lastModified, dataKey)
  if (expected === computed) return
  throw new SopsError(
    'BadMac',
    expected === ''
      ? 'has no MAC, so that nobody can tell whether it was changed'
      : 'was changed after it was encrypted: its MAC does not fit',
  )
}

function storedMac(mac: string, lastModified: string, dataKey: Uint8Array): string {
  try {
    return String(decryptValue(mac, dataKey, lastModified))
  } catch {
    throw new SopsError('BadMac', 'was changed after it was encrypted: its MAC cannot be read')
  }
}
