/** Something that is on its way: a sign will come, and nothing is said of it unless it takes long. */
export class NotYet extends Error {
  override name = 'NotYet'
  /** The reason to show when it takes long; undefined: progressing. */
  readonly reason: string | undefined
  /** When to look again, should the sign get lost; undefined: when the patience ends. */
  readonly retryAfterMs: number | undefined

  constructor(message: string, options: { reason?: string; retryAfterMs?: number } = {}) {
    super(message)
    this.reason = options.reason
    this.retryAfterMs = options.retryAfterMs
  }
}
