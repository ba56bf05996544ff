/**
 * A scalar whose source text says more than its value: a quoted string, `1.10`, `0755`, `~`, a date.
 * Only a parse with `keepSource` yields these; `plainValue` turns a tree of them into JSON.
 */
export class SourceScalar {
  readonly text: string
  readonly value: ScalarValue
  /** True for single and double quotes and block scalars: what replaces it stays a string. */
  readonly quoted: boolean

  constructor(text: string, value: ScalarValue, quoted: boolean) {
    this.text = text
    this.value = value
    this.quoted = quoted
  }
}

export function dropJsonComments(map: YamlMap): void {
  if (comments in map) delete (map as Commented)[comments]
}

/**
 * A null for which nothing is written, between brackets: `{a: , b}`. It is a null until it is printed; kustomize's
 * emitter writes it as an empty string there.
 */
export class EmptyInBrackets extends SourceScalar {
  constructor() {
    super('', null, false)
  }
}

export type ScalarValue = null | boolean | number | bigint | string
export type YamlValue = ScalarValue | SourceScalar | YamlValue[] | YamlMap
export type YamlMap = { [key: string]: YamlValue }

const comments = Symbol('comments')
type Commented = YamlMap & { [comments]?: Record<string, string> }

/** The comments that hold JSON, `# {…}`, behind the keys of a map: key → the JSON text. */
export function jsonComments(map: YamlMap): Record<string, string> | undefined {
  return (map as Commented)[comments]
}

export function setJsonComments(map: YamlMap, found: Record<string, string> | undefined): void {
  if (found !== undefined) (map as Commented)[comments] = found
}

/**
 * `kubernetes`: as sigs.k8s.io/yaml reads (YAML 1.1: `yes` is true, a date is a string).
 * `kustomize`: as kustomize reads resources (`yes` is a string, a date becomes a time).
 */
export type YamlDialect = 'kubernetes' | 'kustomize'

const words = new Map<string, ScalarValue>([
  ['', null],
  ['~', null],
  ...['null', 'Null', 'NULL'].map((word): [string, null] => [word, null]),
  ...['true', 'True', 'TRUE'].map((word): [string, boolean] => [word, true]),
  ...['false', 'False', 'FALSE'].map((word): [string, boolean] => [word, false]),
  ...['.nan', '.NaN', '.NAN'].map((word): [string, number] => [word, Number.NaN]),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word): [string, number] => [word, Infinity]),
  ...['-.inf', '-.Inf', '-.INF'].map((word): [string, number] => [word, -Infinity]),
])

const oldBooleans = new Map<string, boolean>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'].map((word): [string, boolean] => [word, true]),
  ...['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'].map((word): [string, boolean] => [word, false]),
])

/** The value of an untagged plain scalar. Strings come back as they are. */
export function resolvePlain(text: string, dialect: YamlDialect): ScalarValue {
  const first = text.charCodeAt(0)
  if (isDigit(first) || first === plus || first === minus) return resolveWordOrNumber(text, dialect)
  if (first === dot) return resolveDotted(text)
  if (!startsLikeAWord(first)) return text
  if (words.has(text)) return words.get(text) ?? null
  if (dialect === 'kubernetes') return oldBooleans.get(text) ?? text
  return text
}

/** True when a YAML 1.1 reader would take the plain text for something that is not a string. */
export function isNonString11(text: string): boolean {
  if (text === '' || text.includes('\n')) return false
  return typeof resolvePlain(text, 'kubernetes') !== 'string' || datePattern.test(text)
}

const plus = 43
const minus = 45
const dot = 46

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** NaN is the empty text. The others are the first letters of the words above. */
function startsLikeAWord(code: number): boolean {
  return Number.isNaN(code) || '~nNtTfFyYoO'.includes(String.fromCharCode(code))
}

function resolveDotted(text: string): ScalarValue {
  const word = words.get(text)
  if (word !== undefined) return word
  if (!/^\.\d+(_\d+)*([eE][-+]?\d+)?$/.test(text)) return text
  return Number(text.replaceAll('_', ''))
}

function resolveWordOrNumber(text: string, dialect: YamlDialect): ScalarValue {
  if (text.length < 16 && /^(0|-?[1-9]\d*)$/.test(text)) return Number(text)
  const word = words.get(text)
  if (word !== undefined) return word
  if (datePattern.test(text)) return dialect === 'kustomize' ? (timeOf(text) ?? text) : text
  return resolveNumber(text.replaceAll('_', '')) ?? text
}

function resolveNumber(text: string): number | bigint | undefined {
  const integer = resolveInteger(text)
  if (integer !== undefined) return integer
  if (!/^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(text)) return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

const integerForms: [RegExp, string][] = [
  [/^([-+]?)0[xX]([0-9a-fA-F]+)$/, '0x'],
  [/^([-+]?)0[bB]([01]+)$/, '0b'],
  [/^([-+]?)0[oO]?([0-7]+)$/, '0o'],
  [/^([-+]?)(0|[1-9]\d*)$/, ''],
]

function resolveInteger(text: string): number | bigint | undefined {
  for (const [pattern, prefix] of integerForms) {
    const match = pattern.exec(text)
    if (match === null) continue
    const magnitude = BigInt(prefix + (match[2] ?? '0'))
    const value = match[1] === '-' ? -magnitude : magnitude
    if (value < -(2n ** 63n) || value >= 2n ** 64n) continue
    return Number.isSafeInteger(Number(value)) ? Number(value) : value
  }
  return undefined
}

const datePattern =
  /^\d{4}-\d{1,2}-\d{1,2}([Tt]\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?(Z|[-+]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?)?$/

/** A date the way Go prints a time that it read: `2020-01-01` is `2020-01-01T00:00:00Z`. */
function timeOf(text: string): string | undefined {
  const match = /^(\d{4})-(\d\d?)-(\d\d?)(?:[Tt ](\d\d?):(\d\d?):(\d\d?)(\.\d+)?(Z|[-+]\d\d:\d\d)?)?$/.exec(
    text,
  )
  if (match === null) return undefined
  const [
    ,
    year = '',
    month = '',
    day = '',
    hour = '0',
    minute = '0',
    second = '0',
    fraction = '',
    zone = 'Z',
  ] = match
  const two = (part: string) => part.padStart(2, '0')
  const date = `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`
  if (!isCalendarDate(Number(year), Number(month), Number(day))) return undefined
  if (Number.isNaN(Date.parse(`${date}Z`))) return undefined
  const digits = fraction.replace(/\.?0+$/, '')
  return `${date}${digits}${zone === '+00:00' ? 'Z' : zone}`
}

function isCalendarDate(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}
