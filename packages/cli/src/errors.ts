/** The command line is wrong: exit code 2, with a pointer to the help. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** A command failed in a way that it foresaw; the message says what to do. Exit code 1, or the one given. */
export class CommandError extends Error {
  override name = 'CommandError'
  readonly exitCode: number

  constructor(message: string, options?: ErrorOptions & { exitCode?: number }) {
    super(message, options)
    this.exitCode = options?.exitCode ?? 1
  }
}

/** What an unknown thing that was thrown says, with its causes, for people. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : messageOf(error.cause)
  return cause === '' || error.message.includes(cause) ? error.message : `${error.message}: ${cause}`
}
