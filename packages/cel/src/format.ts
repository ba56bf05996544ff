const VERB = /%(?:\.(\d{1,2}))?([a-zA-Z%])/g

/** `'%s has %d'.format([name, 3])`: the verbs s, d, f, e, b, x, X and o. */
export function format(text: string, values: readonly unknown[]): string {
  let next = 0
  return text.replaceAll(VERB, (_all, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%'
    if (next >= values.length) throw new Error(`format: there is no value for the verb number ${next + 1}`)
    const digits = precision === undefined ? 6 : Number(precision)
    next += 1
    return formatOne(verb, values[next - 1], digits)
  })
}

function formatOne(verb: string, value: unknown, digits: number): string {
  switch (verb) {
    case 's':
      return textOf(value)
    case 'd':
      return String(value)
    case 'f':
      return Number(value).toFixed(digits)
    case 'e':
      return Number(value).toExponential(digits)
    case 'b':
      return typeof value === 'boolean' ? String(Number(value)) : wholeOf(value).toString(2)
    case 'o':
      return wholeOf(value).toString(8)
    case 'x':
      return hexOf(value)
    case 'X':
      return hexOf(value).toUpperCase()
    default:
      throw new Error(`format: unknown verb %${verb}`)
  }
}

function hexOf(value: unknown): string {
  if (typeof value !== 'string') return wholeOf(value).toString(16)
  return Array.from(new TextEncoder().encode(value), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function wholeOf(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  throw new Error('format: the value is no integer')
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`
  if (typeof value !== 'object' || value === null || value.constructor !== Object) return String(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${key}: ${textOf(item)}`).join(', ')}}`
}
