/** Why a bucket could not be read. Changed: the object is another one than the listing said. */
export type BucketErrorCode =
  | 'InvalidEndpoint'
  | 'AuthenticationFailed'
  | 'NotFound'
  | 'Changed'
  | 'TooManyRequests'
  | 'Unreachable'
  | 'Timeout'
  | 'ServerError'
  | 'ProtocolError'
  | 'TooLarge'

/** A failed call to a bucket server, in words for people. Never holds credentials. */
export class BucketError extends Error {
  override readonly name = 'BucketError'
  readonly code: BucketErrorCode

  constructor(code: BucketErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
