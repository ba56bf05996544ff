import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'

const ALGORITHM = 'aes-256-gcm'
const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Length of a sealing key in bytes. */
export const SEALING_KEY_BYTES = 32

/** Sealed bytes could not be opened: another key, or they were changed. Holds nothing of their content. */
export class SealError extends Error {
  override name = 'SealError'
}

/**
 * Seals bytes with AES-256-GCM, so that a rendered set (which may hold Secrets) is unreadable on the bus and on disk.
 * Layout: 1 byte version, 12 bytes nonce, ciphertext, 16 bytes tag. context (such as the namespace and name) is
 * authenticated too, so that a sealed set cannot be passed off as another one's.
 * @throws SealError when the key has not 32 bytes.
 */
export function seal(key: Uint8Array, plain: Uint8Array, context: string): Uint8Array {
  checkKey(key)
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(context))
  return Buffer.concat([Buffer.of(VERSION), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** Opens what seal made. @throws SealError when the key or the context is another one, or the bytes were changed. */
export function unseal(key: Uint8Array, sealed: Uint8Array, context: string): Uint8Array {
  checkKey(key)
  if (sealed.length < 1 + NONCE_BYTES + TAG_BYTES || sealed[0] !== VERSION)
    throw new SealError('sealed bytes are of an unknown form')
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES)
  const body = sealed.subarray(1 + NONCE_BYTES, sealed.length - TAG_BYTES)
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(body), decipher.final()])
  } catch {
    throw new SealError('sealed bytes cannot be opened: they were sealed with another key, or changed')
  }
}

/**
 * The name under which a sealed set is stored. key: `<namespace>/<name>` of the Kustomization. Another sealing key gives
 * another name: a new cluster that meets the NATS of an old one does not take its sets for its own.
 */
export function sealedSetName(sealingKey: Uint8Array, key: string, digest: string): string {
  const tag = createHmac('sha256', sealingKey).update(digest).digest('hex').slice(0, 16)
  return `${key.replace('/', '.')}.${tag}`
}

function checkKey(key: Uint8Array): void {
  if (key.length !== SEALING_KEY_BYTES)
    throw new SealError(`a sealing key has ${SEALING_KEY_BYTES} bytes, not ${key.length}`)
}
