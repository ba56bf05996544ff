/**
 * Why a Git operation failed.
 * RefNotFound, EmptyRepository and InvalidReference speak of what was asked for; Refused of a server that says why it
 * does not give it; Damaged of our own copy on disk;
 * DiskFull of the disk below it; StaleReference and PushRejected of a push that the server did not take; the others of the way to the server.
 */
export type GitErrorCode =
  | 'AuthenticationFailed'
  | 'HostKeyRefused'
  | 'AddressRefused'
  | 'RateLimited'
  | 'InvalidSignature'
  | 'InvalidKey'
  | 'UnsupportedRepository'
  | 'RepositoryNotFound'
  | 'Unreachable'
  | 'Timeout'
  | 'ServerError'
  | 'Refused'
  | 'ProtocolError'
  | 'RefNotFound'
  | 'InvalidReference'
  | 'EmptyRepository'
  | 'TooLarge'
  | 'IllegalPath'
  | 'DiskFull'
  | 'Damaged'
  | 'StaleReference'
  | 'PushRejected'

/** A failed Git operation, in words for people. Never holds credentials, not even those of a URL. */
export class GitError extends Error {
  override readonly name = 'GitError'
  readonly code: GitErrorCode

  /** When the server wants to be asked again, in ms from now. */
  readonly retryAfterMs: number | undefined

  constructor(code: GitErrorCode, message: string, options?: ErrorOptions & { retryAfterMs?: number }) {
    super(message, options)
    this.code = code
    this.retryAfterMs = options?.retryAfterMs
  }
}

/** How servers say that they do not give what was asked for: it has gone, or they do not give it by its hash. */
const NOT_GIVEN: ReadonlySet<GitErrorCode> = new Set([
  'RefNotFound',
  'Refused',
  'ServerError',
  'ProtocolError',
])

/** Whether another way of asking may help. */
export function isNotGiven(error: unknown): boolean {
  return error instanceof GitError && NOT_GIVEN.has(error.code)
}

/** The URL without user and password, as it may be shown. */
export function displayUrl(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1')
}
