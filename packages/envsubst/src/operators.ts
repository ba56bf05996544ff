import { toLowerCase, toUpperCase, withFirst } from './case.ts'
import { trimPrefix, trimSuffix } from './glob.ts'
import { substringOfBytes } from './substring.ts'

/** Operators that tolerate a variable without a value. */
export function isDefaultOperator(operator: string): boolean {
  return DEFAULTS.has(operator)
}

const DEFAULTS = new Set(['=', ':=', ':-', ':?', ':+'])

/** The value after the operator; undefined when the result, or the work for it, would pass the bound. */
export function applyOperator(
  operator: string,
  value: string,
  values: string[],
  maxLength: number,
): string | undefined {
  const [first = '', second = ''] = values
  switch (operator) {
    case '#':
      return values.length === 0
        ? String(new TextEncoder().encode(value).length)
        : trimPrefix(value, first, 'shortest')
    case '##':
      return trimPrefix(value, first, 'longest')
    case '%':
      return trimSuffix(value, first, 'shortest')
    case '%%':
      return trimSuffix(value, first, 'longest')
    case '^':
      return withFirst(value, toUpperCase)
    case '^^':
      return toUpperCase(value)
    case ',':
      return withFirst(value, toLowerCase)
    case ',,':
      return toLowerCase(value)
    case ':':
      return substringOfBytes(value, values)
    case '/':
      return value.replace(first, () => second)
    case '//':
      return replaceAll(value, first, second, maxLength)
    // Without a replacement Flux leaves the value alone here, unlike with / and //.
    case '/#':
      return values.length === 2 && value.startsWith(first) ? second + value.slice(first.length) : value
    case '/%':
      return values.length === 2 && value.endsWith(first)
        ? value.slice(0, value.length - first.length) + second
        : value
    default:
      return value === '' ? values.join('') : value
  }
}

function replaceAll(value: string, old: string, replacement: string, maxLength: number): string | undefined {
  const pieces = old === '' ? ['', ...Array.from(value), ''] : value.split(old)
  if (value.length + pieces.length * replacement.length > maxLength + replacement.length) return undefined
  return pieces.join(replacement)
}
