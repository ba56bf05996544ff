/** An expression cannot be read, does not fit its variables, costs too much, or came to no result. */
export class CelError extends Error {
  override readonly name = 'CelError'
}

const MAX_SHOWN = 200

/** What the library threw, in one line that names the expression and the place in it. */
export function celError(expression: string, cause: unknown): CelError {
  if (cause instanceof CelError) return cause
  const { summary, range, message } = cause as {
    summary?: string
    range?: { start: number }
    message?: string
  }
  const place = range === undefined ? '' : `${placeOf(expression, range.start)}: `
  return new CelError(`expression ${quote(expression)}: ${place}${summary ?? message ?? 'no result'}`, {
    cause,
  })
}

export function quote(expression: string): string {
  const line = expression.trim().replaceAll(/\s+/g, ' ')
  return `'${line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line}'`
}

function placeOf(expression: string, offset: number): string {
  const before = expression.slice(0, offset).split('\n')
  const column = (before.at(-1)?.length ?? 0) + 1
  return before.length === 1 ? `column ${column}` : `line ${before.length}, column ${column}`
}
