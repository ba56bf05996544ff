import { matchesGlob } from './glob.ts'

/** What an expression does with the value of its variable. Offsets count bytes of UTF-8, as in Go. */
export const operations = { part, casing, trim, replace }

/** `${v:offset}` and `${v:offset:length}`. What is no number leaves the value as it is. */
function part(value: string, offsetText: string, lengthText: string | undefined): string {
  const bytes = Buffer.from(value)
  const offset = parseInteger(offsetText)
  if (offset === undefined) return value
  const start = offset < 0 ? Math.max(0, bytes.length + offset) : offset
  if (lengthText === undefined) return bytes.subarray(start).toString()
  const length = parseInteger(lengthText)
  if (length === undefined) return value
  return bytes.subarray(start, Math.max(start, start + length)).toString()
}

/** `,` `,,` `^` `^^`: the first character or all of them, lower or upper. */
function casing(value: string, operator: string): string {
  const change = (text: string) => (operator.startsWith('^') ? text.toUpperCase() : text.toLowerCase())
  if (operator.length === 2) return change(value)
  const [first = '', ...rest] = value
  return change(first) + rest.join('')
}

/** `#` `##` `%` `%%`: takes away the shortest or longest match of a glob at the start or the end. */
function trim(value: string, operator: string, pattern: string): string {
  const characters = [...value]
  const atEnd = operator.startsWith('%')
  const longest = operator.length === 2
  const rest = (taken: number) =>
    (atEnd ? characters.slice(0, characters.length - taken) : characters.slice(taken)).join('')
  const piece = (taken: number) =>
    (atEnd ? characters.slice(characters.length - taken) : characters.slice(0, taken)).join('')
  const lengths = Array.from(characters, (_, index) => index + 1)
  for (const taken of longest ? lengths.reverse() : lengths)
    if (matchesGlob(pattern, piece(taken))) return rest(taken)
  return value
}

/** `/` the first, `//` every, `/#` a leading, `/%` a trailing occurrence of a literal text. */
function replace(value: string, kind: string, pattern: string, replacement: string | undefined): string {
  if (kind === '/') return value.split(pattern).join(replacement ?? '')
  if (kind === '') {
    const at = value.indexOf(pattern)
    return at < 0 ? value : value.slice(0, at) + (replacement ?? '') + value.slice(at + pattern.length)
  }
  if (replacement === undefined) return value
  if (kind === '#') return value.startsWith(pattern) ? replacement + value.slice(pattern.length) : value
  return value.endsWith(pattern) ? value.slice(0, value.length - pattern.length) + replacement : value
}

function parseInteger(text: string): number | undefined {
  return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined
}
