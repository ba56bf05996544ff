import { CST, parse } from 'yaml'
import type { Leaf } from './leaves.ts'

/** What a scalar says. */
export function scalarValue({ type, source }: Leaf): string {
  if (type === 'block-scalar') return source.trim()
  if (type === 'scalar') return source
  const token = { type, source, offset: 0, indent: 0 } as CST.FlowScalar
  return CST.resolveAsScalar(token)?.value ?? source
}

/** The same scalar in its style with another value; undefined when the style cannot hold it. */
export function withValue({ type, source }: Leaf, value: string): string | undefined {
  if (type === 'double-quoted-scalar') return `"${value}"`
  if (type === 'single-quoted-scalar') return `'${value}'`
  if (type === 'scalar') return isPlainString(value) ? value : `"${value}"`
  const old = source.trim()
  return old === '' || /[\r\n]/.test(old) ? undefined : source.replace(old, () => value)
}

/** True when it reads as a string without quotes, in YAML 1.1 and 1.2: `1.10` would be a number. */
function isPlainString(value: string): boolean {
  if (!/^[A-Za-z0-9][-\w./:@]*$/.test(value) || value.endsWith(':')) return false
  return (['1.1', '1.2'] as const).every((version) => parse(value, { version }) === value)
}
