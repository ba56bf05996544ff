import { Cursor } from './cursor.ts'
import { SubstitutionFailure } from './problem.ts'

/** Text to keep, or a variable with what is done to its value. */
export type Part = string | Expansion

export interface Expansion {
  name: string
  /** `''` for a plain `${name}`; else the operator as written, such as `:-` or `//`. */
  operator: string
  /** What follows the operator. Parts of a default are joined; others are single arguments. */
  arguments: Part[]
  /** Offset of the `$`. */
  at: number
}

/** Deeper nesting than any manifest has; a bound on recursion. */
const MAX_DEPTH = 100

/** @throws SubstitutionFailure where the text is not in the dialect. */
export function parseTemplate(text: string): Part[] {
  const cursor = new Cursor(text)
  const parts: Part[] = []
  while (!cursor.atEnd()) {
    if (cursor.takes('${')) parts.push(parseExpansion(cursor, 1))
    else parts.push(cursor.readText(() => true, '$'))
  }
  return parts
}

/** After `${`. */
function parseExpansion(cursor: Cursor, depth: number): Expansion {
  const at = cursor.at - 2
  if (depth > MAX_DEPTH) throw new SubstitutionFailure('TooLarge', `nested deeper than ${MAX_DEPTH}`, at)
  if (cursor.takes('#')) return parseLength(cursor, at)
  const name = cursor.readText(isNameCharacter)
  if (name === '') throw new SubstitutionFailure('BadSubstitution', 'unable to parse variable name', at)
  const expansion: Expansion = { name, operator: '', arguments: [], at }
  parseOperator(cursor, expansion, depth)
  return expansion
}

function parseOperator(cursor: Cursor, expansion: Expansion, depth: number): void {
  const first = cursor.peek()
  if (first === ':') parseDefaultOrSubstring(cursor, expansion, depth)
  else if (first === '=') parseDefault(cursor, expansion, '=', depth)
  else if (first === ',' || first === '^') parseCase(cursor, expansion)
  else if (first === '/') parseReplace(cursor, expansion, depth)
  else if (first === '#' || first === '%') parseTrim(cursor, expansion, first, depth)
  else if (!cursor.takes('}')) throw bad(expansion, 'missing closing brace')
}

/** `${#name}` */
function parseLength(cursor: Cursor, at: number): Expansion {
  const expansion: Expansion = { name: cursor.readText(isNameCharacter), operator: '#', arguments: [], at }
  if (expansion.name === '') throw bad(expansion)
  close(cursor, expansion)
  return expansion
}

function parseDefaultOrSubstring(cursor: Cursor, expansion: Expansion, depth: number): void {
  const second = cursor.peek(1)
  if (second !== '' && '=-?+'.includes(second)) parseDefault(cursor, expansion, `:${second}`, depth)
  else parseSubstring(cursor, expansion, depth)
}

/** `${name:-text}`: the text may hold further expansions anywhere. */
function parseDefault(cursor: Cursor, expansion: Expansion, operator: string, depth: number): void {
  cursor.takes(operator)
  expansion.operator = operator
  while (!cursor.takes('}')) expansion.arguments.push(parseArgument(cursor, expansion, notClosing, depth))
}

/** `${name:offset}` and `${name:offset:length}` */
function parseSubstring(cursor: Cursor, expansion: Expansion, depth: number): void {
  cursor.takes(':')
  expansion.operator = ':'
  // Flux refuses such a thing here; all else that is no number it lets pass, and gives the whole value.
  if (cursor.peek() > '\x7f') throw bad(expansion)
  const notColon = (character: string) => character !== ':' && character !== '}'
  expansion.arguments.push(parseArgument(cursor, expansion, notColon, depth))
  if (cursor.takes('}')) return
  if (cursor.readText((character) => character === ':') === '') throw bad(expansion)
  expansion.arguments.push(parseArgument(cursor, expansion, notClosing, depth))
  close(cursor, expansion)
}

/** `${name^}`, `${name^^}`, `${name,}` and `${name,,}` */
function parseCase(cursor: Cursor, expansion: Expansion): void {
  expansion.operator = cursor.readText((character) => character === ',' || character === '^', '', 2)
  close(cursor, expansion)
}

/** `${name#glob}`, `${name##glob}`, `${name%glob}` and `${name%%glob}` */
function parseTrim(cursor: Cursor, expansion: Expansion, sign: string, depth: number): void {
  expansion.operator = cursor.readText((character) => character === sign, '', 2)
  expansion.arguments.push(parseArgument(cursor, expansion, notClosing, depth))
  close(cursor, expansion)
}

/** `${name/old/new}`, `${name//old/new}`, `${name/#old/new}` and `${name/%old/new}` */
function parseReplace(cursor: Cursor, expansion: Expansion, depth: number): void {
  const second = cursor.peek(1)
  expansion.operator = second !== '' && '/#%'.includes(second) ? `/${second}` : '/'
  cursor.takes(expansion.operator)
  expansion.arguments.push(parseArgument(cursor, expansion, notSlash, depth, '$\\'))
  if (cursor.readText((character) => character === '/') === '') throw bad(expansion)
  if (cursor.takes('}')) return
  expansion.arguments.push(parseArgument(cursor, expansion, notClosing, depth, '$\\'))
  close(cursor, expansion)
}

/** One argument: text up to where it ends, or an expansion. */
function parseArgument(
  cursor: Cursor,
  expansion: Expansion,
  accept: (character: string) => boolean,
  depth: number,
  escapes: '' | '$\\' = '',
): Part {
  if (cursor.takes('${')) return parseExpansion(cursor, depth + 1)
  const text = cursor.readText(accept, escapes)
  if (text === '') throw bad(expansion, 'unable to parse substitution within function')
  return text
}

function close(cursor: Cursor, expansion: Expansion): void {
  if (!cursor.takes('}')) throw bad(expansion)
}

function bad(expansion: Expansion, message = 'bad substitution'): SubstitutionFailure {
  return new SubstitutionFailure('BadSubstitution', message, expansion.at, expansion.name)
}

const notClosing = (character: string): boolean => character !== '}'
const notSlash = (character: string): boolean => character !== '/'
const isNameCharacter = (character: string): boolean => /[\p{L}\p{Nd}_]/u.test(character)
