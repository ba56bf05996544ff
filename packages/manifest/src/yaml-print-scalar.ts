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
  if (/^[A-Za-z]/.test(text)) return typeof resolvePlain(text, 'kubernetes') === 'string'
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
  const hint = /^[ \n\u2028\u2029]/.test(text) ? '2' : ''
  const lines = text.split('\n')
  const endsWithBreak = text.endsWith('\n')
  const chomp = !endsWithBreak ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : ''
  if (endsWithBreak) lines.pop()
  return [`|${hint}${chomp}`, ...lines.map((line) => indented(line, pad))].join('\n')
}

/** Blanks go before the first character that is no line break; two characters of Unicode are breaks too. */
function indented(line: string, pad: string): string {
  const start = /[^\u2028\u2029]/.test(line[0] ?? '') ? pad : ''
  return start + indentedBreaks(line, pad)
}

function indentedBreaks(text: string, pad: string): string {
  return text.replace(/[\u2028\u2029](?=[^\u2028\u2029])/g, `$&${pad}`)
}

/** Breaks at a single space once the line is past the best width. */
function fold(text: string, place: ScalarPlace, kind: 'plain' | 'single'): string {
  const written = (part: string) => (kind === 'single' ? part.replaceAll("'", "''") : part)
  if (place.isKey || place.column + text.length <= bestWidth) return written(text)
  let out = ''
  let from = 0
  let start = place.column + (kind === 'single' ? 1 : 0)
  for (let space = text.indexOf(' '); space >= 0; space = text.indexOf(' ', space + 1)) {
    const inside = kind === 'plain' || (space > 0 && space < text.length - 1)
    const isSingle = text[space - 1] !== ' ' && text[space + 1] !== ' '
    if (!inside || !isSingle || start + written(text.slice(from, space)).length <= bestWidth) continue
    out += `${written(text.slice(from, space))}\n${' '.repeat(place.indent)}`
    from = space + 1
    start = place.indent
  }
  return out + written(text.slice(from))
}

function singleQuoted(text: string, place: ScalarPlace): string {
  const quoted = `'${fold(text, place, 'single')}'`
  return indentedBreaks(quoted, ' '.repeat(place.indent)).replace(/([\u2028\u2029]) +'$/, "$1'")
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
  '\u2028': '\\L',
  '\u2029': '\\P',
}

function doubleQuoted(text: string, place: ScalarPlace): string {
  const pad = ' '.repeat(place.indent)
  const characters = Array.from(text)
  // Go's emitter looks for the mark at the start of the text, wherever it is, and then escapes all.
  const startsWithMark = text.startsWith('\ufeff')
  let out = '"'
  let column = place.column + 1
  let afterSpace = false
  for (const [at, character] of characters.entries()) {
    const foldHere = !place.isKey && !afterSpace && column > bestWidth && at > 0 && at < characters.length - 1
    if (character === ' ' && foldHere && !startsWithMark) {
      const next = characters[at + 1] === ' ' ? '\\' : ''
      out += `\n${pad}${next}`
      column = place.indent + next.length
      afterSpace = true
      continue
    }
    const written = escapeCharacter(character, startsWithMark)
    out += written
    column += written.length
    afterSpace = character === ' '
  }
  return `${out}"`
}

function escapeCharacter(character: string, always: boolean): string {
  const short = shortEscapes[character]
  if (short !== undefined) return short
  if (always && character === '\xa0') return '\\_'
  const code = character.codePointAt(0) ?? 0
  if (code > 0xffff) return `\\U${code.toString(16).toUpperCase().padStart(8, '0')}`
  if (code < 0x20 || (code >= 0x7f && code < 0xa0) || (always && code <= 0xff)) {
    return `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`
  }
  if (always || code === 0xfeff || (code >= 0xd800 && code < 0xe000) || code >= 0xfffe) {
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
