import { BuildError } from '../build-error.ts'
import { fieldOf, isList, isMap, isMissingOrNull, isScalar, kindOf, textOf, type Value } from '../value.ts'

/** Finds one value by a path of names, indexes, `-` (the last item) and `[name=value]`. Undefined when it is not there. */
export function lookUp(root: Value, path: string[]): Value | undefined {
  let value: Value | undefined = root
  for (const part of path.map((name) => name.trim()).filter((name) => name !== '')) {
    value = step(value, part)
    if (value === undefined) return undefined
  }
  return value
}

function step(value: Value, part: string): Value | undefined {
  if (/^[-+]?\d+$/.test(part) || part === '-') {
    if (Number(part) < 0) throw new BuildError('bad-path', `the index ${part} cannot be negative`)
    return listOf(value).at(part === '-' ? -1 : Number(part))
  }
  if (part === '*') throw new BuildError('bad-path', 'a wildcard is not supported here')
  if (isListSelector(part)) {
    const { field, wanted } = parseListSelector(part)
    return listOf(value).find((item) => itemText(item, field) === wanted)
  }
  if (isMissingOrNull(value)) return undefined
  if (!isMap(value)) throw new BuildError('bad-path', `'${part}' is looked for in a ${kindOf(value)}`)
  return fieldOf(value, part)
}

function listOf(value: Value): Value[] {
  if (isMissingOrNull(value)) return []
  if (isList(value)) return value
  throw new BuildError('bad-path', `a list is wanted, not a ${kindOf(value)}`)
}

export function isListSelector(part: string): boolean {
  return part.startsWith('[') && part.endsWith(']')
}

/** `[name=web]`; without a name, the item itself is meant. */
export function parseListSelector(part: string): { field: string; wanted: string } {
  const inner = part.slice(1, -1)
  const equals = inner.indexOf('=')
  if (equals < 0) throw new BuildError('bad-path', `'${part}' must have the form [field=value]`)
  return { field: inner.slice(0, equals), wanted: inner.slice(equals + 1) }
}

function itemText(item: Value, field: string): string | undefined {
  if (field === '') return isScalar(item) ? textOf(item) : undefined
  const value = isMap(item) ? fieldOf(item, field) : undefined
  return value === undefined ? undefined : textOf(value)
}
