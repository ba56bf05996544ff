import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { CosignError } from './errors.ts'

/** Trusted keys, by name. */
export type PublicKeys = ReadonlyMap<string, KeyObject>

const CURVE = 'prime256v1'
const MIN_RSA_BITS = 2048

/** Reads keys in PEM, by name. @throws CosignError naming the key that cannot be used */
export function readPublicKeys(pems: ReadonlyMap<string, string>): PublicKeys {
  return new Map([...pems].map(([name, pem]) => [name, readKey(name, pem)]))
}

/** The name of the key that signed these bytes; undefined when none did. */
export function signerOf(keys: PublicKeys, bytes: Uint8Array, signature: Uint8Array): string | undefined {
  for (const [name, key] of keys) if (isSignedBy(key, bytes, signature)) return name
  return undefined
}

function readKey(name: string, pem: string): KeyObject {
  if (!pem.includes('PUBLIC KEY')) throw new CosignError(`"${name}" is no public key in PEM`)
  const key = parse(name, pem)
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  const isUsable =
    type === 'ed25519' ||
    (type === 'ec' && details?.namedCurve === CURVE) ||
    (type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS)
  if (!isUsable)
    throw new CosignError(`"${name}" is no key by ECDSA on P-256, RSA (2048 bits at least) or Ed25519`)
  return key
}

function parse(name: string, pem: string): KeyObject {
  try {
    return createPublicKey(pem)
  } catch (cause) {
    throw new CosignError(`"${name}" cannot be read as a public key`, { cause })
  }
}

function isSignedBy(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, key, signature)
  } catch {
    return false
  }
}
