/**
 * `BadFile`: no SOPS file, or a damaged one. `NoKey`: none of the keys at hand opens it. `BadValue`: a value cannot be
 * decrypted. `BadMac`: the file was changed after it was encrypted. `BadKey`: a key that cannot be read.
 */
export type SopsErrorCode = 'BadFile' | 'NoKey' | 'BadValue' | 'BadMac' | 'BadKey'

/** Why something cannot be decrypted. Names paths and recipients; never holds key material, ciphertext or plaintext. */
export class SopsError extends Error {
  override name = 'SopsError'
  readonly code: SopsErrorCode

  constructor(code: SopsErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
