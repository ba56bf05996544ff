/** Why a registry could not be asked. InvalidName and InvalidCredentials speak of what was given; the others of the way. */
export type RegistryErrorCode =
  | 'InvalidName'
  | 'InvalidCredentials'
  | 'AuthenticationFailed'
  | 'NotFound'
  | 'TooManyRequests'
  | 'Unreachable'
  | 'AddressRefused'
  | 'Timeout'
  | 'ServerError'
  | 'ProtocolError'
  | 'DigestMismatch'
  | 'TooLarge'

/** A failed call to a registry, in words for people. Never holds credentials or tokens. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly code: RegistryErrorCode
  /** When the registry wants to be asked again; ms. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: RegistryErrorCode,
    message: string,
    options: ErrorOptions & { retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options)
    this.code = code
    this.retryAfterMs = options.retryAfterMs
  }
}
