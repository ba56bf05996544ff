import { analyzeScalar } from './yaml-analyze.ts'
import { isNonString11, resolvePlain } from './yaml-scalar.ts'

export interface ScalarPlace {
  /** Spaces before a continuation line. */
  indent: number
  /** Column at which the scalar starts. */
  column: number
  isKey: boolean
}

const bestWidth = 80

/** A string as Go's YAML library writes it, with its style, quotes and line folding. */
export function scalarLines(text: string, place: ScalarPlace): string {
  const facts = analyzeScalar(text)
  if (text.includes('\n') && facts.blockAllowed && !place.isKey) return literalBlock(text, place.indent)
  const plain = facts.plainAllowed && isPlainString(text) && !text.includes('\n')
  if (plain && !(text === '' && place.isKey)) return fold(text, place, 'plain')
  const single = facts.singleQuotedAllowed && !text.includes('\n') && isPlainString(text)
  return single ? singleQuoted(text, place) : doubleQuoted(text, place)
}

/** Not taken for a number, a word or a base-60 number when it is written bare. */
function isPlainString(text: string): boolean {
  if (typeof resolvePlain(text, 'kubernetes') !== 'string') return false
  if (typeof resolvePlain(text, 'kustomize') !== 'string' || isDate(text)) return false
  return !/^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/.test(text)
}

/** A date is text to us, but not to every reader. */
function isDate(text: string): boolean {
  return /^\d{4}-\d{1,2}-\d{1,2}(?:$|[Tt ])/.test(text) && isNonString11(text)
}

function literalBlock(text: string, indent: number): string {
  const pad = ' '.repeat(indent)
  const hint = text.startsWith(' ') || text.startsWith('\n') ? '2' : ''
  const lines = text.split('\n')
  const endsWithBreak = text.endsWith('\n')
  const chomp = !endsWithBreak ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : ''
  if (endsWithBreak) lines.pop()
  return [`|${hint}${chomp}`, ...lines.map((line) => (line === '' ? '' : pad + line))].join('\n')
}

/** Breaks at a single space once the line is past the best width. */
function fold(text: string, place: ScalarPlace, kind: 'plain' | 'single'): string {
  if (place.isKey || place.column + text.length <= bestWidth) return text
  const pad = ' '.repeat(place.indent)
  const characters = Array.from(text)
  let out = ''
  let column = place.column + (kind === 'single' ? 1 : 0)
  let afterSpace = false
  for (const [at, character] of characters.entries()) {
    const isSpace = character === ' '
    const inside = kind === 'plain' || (at > 0 && at < characters.length - 1)
    if (isSpace && !afterSpace && inside && column > bestWidth && characters[at + 1] !== ' ') {
      out += `\n${pad}`
      column = place.indent
    } else {
      const written = kind === 'single' && character === "'" ? "''" : character
      out += written
      column += written.length
    }
    afterSpace = isSpace
  }
  return out
}

function singleQuoted(text: string, place: ScalarPlace): string {
  if (place.isKey || place.column + text.length <= bestWidth) return `'${text.replaceAll("'", "''")}'`
  return `'${fold(text, place, 'single')}'`
}

const shortEscapes: Record<string, string> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\x85': '\\N',
  '\xa0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
}

function doubleQuoted(text: string, place: ScalarPlace): string {
  const pad = ' '.repeat(place.indent)
  const characters = Array.from(text)
  let out = '"'
  let column = place.column + 1
  let afterSpace = false
  for (const [at, character] of characters.entries()) {
    const foldHere = !place.isKey && !afterSpace && column > bestWidth && at > 0 && at < characters.length - 1
    if (character === ' ' && foldHere) {
      const next = characters[at + 1] === ' ' ? '\\' : ''
      out += `\n${pad}${next}`
      column = place.indent + next.length
      afterSpace = true
      continue
    }
    const written = escapeCharacter(character)
    out += written
    column += written.length
    afterSpace = character === ' '
  }
  return `${out}"`
}

function escapeCharacter(character: string): string {
  const short = shortEscapes[character]
  if (short !== undefined) return short
  const code = character.codePointAt(0) ?? 0
  if (code > 0xffff) return `\\U${code.toString(16).toUpperCase().padStart(8, '0')}`
  if (code < 0x20 || code === 0x7f || (code > 0x7f && code < 0xa0)) {
    return `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`
  }
  if (code === 0xfeff || (code >= 0xd800 && code < 0xe000) || code >= 0xfffe) {
    return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
  }
  return character
}

/** A number as Go prints it: whole ones in full up to 2^64, others in the shortest %g form. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf'
  if (Number.isInteger(value) && value < 2 ** 64 && value >= -(2 ** 63)) return BigInt(value).toString()
  const [mantissa = '', power = '0'] = value.toExponential().split('e')
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 6) return String(value)
  const sign = exponent < 0 ? '-' : '+'
  return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`
}
