/** A failure that carries its policy. reason is a Flux condition reason such as `GitOperationFailed`. */
export class ReconcileError extends Error {
  override name = 'ReconcileError'
  readonly reason: string
  /** When to try again; undefined: by the queue's back-off. */
  readonly retryAfterMs: number | undefined

  constructor(reason: string, message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options)
    this.reason = reason
    this.retryAfterMs = options.retryAfterMs
  }
}

/** A run was aborted because its deadline had passed. */
export class RunTooLong extends Error {
  override name = 'RunTooLong'
  readonly deadlineMs: number

  constructor(deadlineMs: number) {
    super(`took longer than ${deadlineMs / 1000} s`)
    this.deadlineMs = deadlineMs
  }
}

/** Something else must happen first: a source without an artifact, a dependency that is not ready. */
export class Waiting extends ReconcileError {
  override name = 'Waiting'
}

/** Only a change of the object's spec can help: Stalled, no retry before that. */
export class Stalled extends ReconcileError {
  override name = 'Stalled'
}
