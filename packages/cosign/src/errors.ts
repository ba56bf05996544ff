/** A key that cannot be read, or a signature that proves nothing; the message says why. */
export class CosignError extends Error {
  override name = 'CosignError'
}
