import { createHash } from 'node:crypto'
import { RegistryError } from './errors.ts'

/** What a manifest says of a blob or of another manifest. */
export interface Descriptor {
  mediaType: string
  /** `sha256:<hex>`. */
  digest: string
  /** Bytes. */
  size: number
}

/** `<algorithm>:<value>`, as OCI writes it. */
export function isDigest(text: string): boolean {
  return /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/.test(text)
}

/** @throws RegistryError DigestMismatch when the bytes are others, ProtocolError for an algorithm that nobody uses */
export function checkDigest(bytes: Uint8Array, digest: string, what: string): void {
  const [algorithm = ''] = digest.split(':', 1)
  if (algorithm !== 'sha256' && algorithm !== 'sha512')
    throw new RegistryError('ProtocolError', `the ${what} has a digest by ${JSON.stringify(algorithm)}`)
  const found = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
  if (found !== digest)
    throw new RegistryError('DigestMismatch', `the ${what} has the digest ${found} instead of ${digest}`)
}
