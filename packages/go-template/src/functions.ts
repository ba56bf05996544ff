import { TemplateError } from './errors.ts'
import { fieldOf, isList, isMap, isRecord, isTrue, print, type Value } from './value.ts'

type Function = (...given: Value[]) => Value

const MAX_REPEAT = 10_000

/** The functions of Go's text/template, and of sprig those that work on text, lists and maps. */
export const functions: Record<string, Function> = {
  and: (...all) => all.find((value) => !isTrue(value)) ?? all.at(-1),
  or: (...all) => all.find(isTrue) ?? all.at(-1),
  not: (value) => !isTrue(value),
  eq: (value, ...others) => others.some((other) => isSame(value, other)),
  ne: (a, b) => !isSame(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  len: (value) => lengthOf(value),
  index: (value, ...keys) => keys.reduce<Value>(item, value),
  print: (...all) => all.map(print).join(' '),
  println: (...all) => `${all.map(print).join(' ')}\n`,
  printf: (format, ...all) => printf(text(format), all),

  default: (fallback, value) => (isTrue(value) ? value : fallback),
  empty: (value) => !isTrue(value),
  ternary: (yes, no, condition) => (isTrue(condition) ? yes : no),
  coalesce: (...all) => all.find(isTrue),
  toString: (value: Value) => print(value),
  quote: (...all) => all.map((value) => JSON.stringify(print(value))).join(' '),
  squote: (...all) => all.map((value) => `'${print(value)}'`).join(' '),
  upper: (value) => text(value).toUpperCase(),
  lower: (value) => text(value).toLowerCase(),
  title: (value) => text(value).replaceAll(/\b\w/g, (letter) => letter.toUpperCase()),
  trim: (value) => text(value).trim(),
  trimAll: (cut, value) => trimAll(text(cut), text(value)),
  trimPrefix: (prefix, value) => {
    const [start, all] = [text(prefix), text(value)]
    return all.startsWith(start) ? all.slice(start.length) : all
  },
  trimSuffix: (suffix, value) => {
    const [end, all] = [text(suffix), text(value)]
    return end !== '' && all.endsWith(end) ? all.slice(0, -end.length) : all
  },
  trunc: (count, value) => {
    const n = number(count)
    return n < 0 ? text(value).slice(n) : text(value).slice(0, n)
  },
  substr: (start, end, value) => text(value).slice(number(start), number(end) < 0 ? undefined : number(end)),
  replace: (old, next, value) => text(value).replaceAll(text(old), () => text(next)),
  contains: (part, value) => text(value).includes(text(part)),
  hasPrefix: (part, value) => text(value).startsWith(text(part)),
  hasSuffix: (part, value) => text(value).endsWith(text(part)),
  repeat: (count, value) => text(value).repeat(Math.min(Math.max(number(count), 0), MAX_REPEAT)),
  indent: (count, value) => indent(number(count), text(value)),
  nindent: (count, value) => `\n${indent(number(count), text(value))}`,
  nospace: (value) => text(value).replaceAll(/\s/g, ''),
  cat: (...all) => all.map(print).join(' '),
  join: (separator, value) => list(value).map(print).join(text(separator)),
  split: (separator, value) =>
    Object.fromEntries(
      text(value)
        .split(text(separator))
        .map((part, at) => [`_${at}`, part]),
    ),
  splitList: (separator, value) => text(value).split(text(separator)),
  list: (...all) => all,
  first: (value) => list(value)[0],
  last: (value) => list(value).at(-1),
  rest: (value) => list(value).slice(1),
  initial: (value) => list(value).slice(0, -1),
  reverse: (value) => list(value).toReversed(),
  uniq: (value) => list(value).filter((one, at, all) => all.findIndex((other) => isSame(one, other)) === at),
  sortAlpha: (value) => list(value).map(print).sort(),
  has: (one, value) => list(value).some((other) => isSame(one, other)),
  dict: (...all) =>
    new Map(all.flatMap((key, at) => (at % 2 === 0 ? [[text(key), all[at + 1]] as const] : []))),
  get: (value, key) => (isMap(value) ? (value.get(key) ?? '') : fieldOf(value, text(key))),
  hasKey: (value, key) => isMap(value) && value.has(key),
  keys: (value) => (isMap(value) ? [...value.keys()] : []),
  add: (...all) => all.reduce<number>((sum, value) => sum + number(value), 0),
  sub: (a, b) => number(a) - number(b),
  mul: (...all) => all.reduce<number>((product, value) => product * number(value), 1),
  add1: (value) => number(value) + 1,
  int: (value) => Math.trunc(Number(print(value))) || 0,
  max: (...all) => Math.max(...all.map(number)),
  min: (...all) => Math.min(...all.map(number)),
}

function text(value: Value): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new TemplateError('a text is wanted')
}

function number(value: Value): number {
  if (typeof value === 'number') return value
  throw new TemplateError('a number is wanted')
}

function list(value: Value): readonly Value[] {
  if (isList(value)) return value
  throw new TemplateError('a list is wanted')
}

function lengthOf(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (isList(value)) return value.length
  if (isMap(value)) return value.size
  throw new TemplateError('len is asked of what has no length')
}

function item(value: Value, key: Value): Value {
  if (isMap(value)) return value.get(key)
  if (isList(value) && typeof key === 'number' && key in value) return value[key]
  throw new TemplateError(`there is no item ${print(key)}`)
}

function isSame(a: Value, b: Value): boolean {
  if (isMap(a) || isList(a) || isRecord(a)) throw new TemplateError('only simple values can be compared')
  return a === b
}

function compare(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  throw new TemplateError('only two numbers or two texts can be compared')
}

function indent(count: number, value: string): string {
  const blanks = ' '.repeat(Math.min(Math.max(count, 0), 100))
  return value
    .split('\n')
    .map((line) => blanks + line)
    .join('\n')
}

function trimAll(cut: string, value: string): string {
  let [start, end] = [0, value.length]
  while (start < end && cut.includes(value[start] ?? '\0')) start += 1
  while (end > start && cut.includes(value[end - 1] ?? '\0')) end -= 1
  return value.slice(start, end)
}

/** %s, %v, %q, %d, %t and %%; a width is obeyed. */
function printf(format: string, values: readonly Value[]): string {
  let at = 0
  return format.replaceAll(/%(-?\d{0,3})([svqdt%])/g, (_all, width: string, verb: string) => {
    if (verb === '%') return '%'
    if (at >= values.length) return `%!${verb}(MISSING)`
    const value = values[at]
    at += 1
    const printed = verb === 'q' ? JSON.stringify(print(value)) : print(value)
    return width.startsWith('-') ? printed.padEnd(Number(width.slice(1))) : printed.padStart(Number(width))
  })
}
