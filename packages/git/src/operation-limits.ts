import { displayUrl, GitError } from './errors.ts'
import { DEFAULT_MAX_BYTES, type RemoteOptions } from './remote-options.ts'
import { codeOf, messageOf } from './translate-error.ts'

/** The bounds of one operation, and what it means when one is hit. */
export class OperationLimits {
  receivedBytes = 0
  /** Aborts when the time is over or the caller stops. */
  readonly signal: AbortSignal
  private readonly options: RemoteOptions
  private readonly maxBytes: number

  constructor(options: RemoteOptions) {
    this.options = options
    this.maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES
    const timeout = AbortSignal.timeout(options.timeoutMs)
    this.signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal])
  }

  /** Counts bytes as they arrive. @throws GitError TooLarge, before they are kept */
  count(bytes: number): void {
    this.receivedBytes += bytes
    if (this.receivedBytes <= this.maxBytes) return
    const shown = displayUrl(this.options.url)
    throw new GitError('TooLarge', `${shown} sends more than the limit of ${this.maxBytes} bytes`)
  }

  /** What a failed connection means. */
  problem(cause: unknown, host: string): GitError {
    if (cause instanceof GitError) return cause
    if (this.signal.aborted) {
      if (this.options.signal?.aborted) return new GitError('Timeout', `the operation on ${host} was stopped`)
      return new GitError('Timeout', `${host} did not answer within ${this.options.timeoutMs / 1000} s`)
    }
    if (codeOf(cause) === 'CERT_HAS_EXPIRED')
      return new GitError('Unreachable', `the certificate of ${host} has expired; the server needs a new one`)
    return new GitError('Unreachable', `${host} cannot be reached: ${codeOf(cause) ?? messageOf(cause)}`)
  }
}
