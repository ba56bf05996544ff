/** Why no connection came about, in a few words: several addresses that all refuse have only a code. */
export function describeFailure(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
  if (cause instanceof AggregateError) return code ?? 'no address answers'
  return cause.message === '' ? (code ?? 'unknown') : cause.message
}
