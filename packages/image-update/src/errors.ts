/** Why an automation cannot update, for people. */
export class UpdateError extends Error {
  override name = 'UpdateError'
  /** Reason of the Ready condition, such as `UpdateFailed`. */
  readonly reason: string
  /** True when only another spec can help. */
  readonly isStalled: boolean

  constructor(reason: string, message: string, options: ErrorOptions & { isStalled?: boolean } = {}) {
    super(message, options)
    this.reason = reason
    this.isStalled = options.isStalled ?? false
  }
}

/** An error that only another spec can help. */
export function stalled(reason: string, message: string, options: ErrorOptions = {}): UpdateError {
  return new UpdateError(reason, message, { ...options, isStalled: true })
}
