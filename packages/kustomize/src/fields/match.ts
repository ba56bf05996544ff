import { BuildError } from '../build-error.ts'
import { compilePattern } from '../resource/selector.ts'
import { writeField } from '../shared-scalar.ts'
import {
  fieldOf,
  isList,
  isMap,
  isMissingOrNull,
  isScalar,
  kindOf,
  plainText,
  textOf,
  type Value,
  type ValueMap,
} from '../value.ts'
import { isListSelector, parseListSelector } from './lookup.ts'

/** A place in a tree: its value can be read and written. */
export interface Slot {
  get(): Value
  set(value: Value): void
}

export type CreateKind = 'map' | 'list' | 'scalar' | undefined

/** Finds all places that a path names: `[name=regex]` and `*` may name several. `create` makes what is missing. */
export function matchPath(root: Slot, path: string[], create: CreateKind): Slot[] {
  const [part, ...rest] = path
  if (part === undefined) return [root]
  if (/^\d+$/.test(part)) return matchIndex(root, Number(part), rest, create)
  if (isListSelector(part)) return matchItems(root, part, rest, create)
  if (part === '*')
    return listOf(root.get()).flatMap((_item, at) => matchPath(slotOf(listOf(root.get()), at), rest, create))
  return matchField(root, part, rest, create)
}

function slotOf(container: Value[] | ValueMap, key: number | string): Slot {
  const holder = container as { [key: string | number]: Value }
  return {
    get: () => (Object.hasOwn(holder, key) ? holder[key] : undefined) ?? null,
    set: (value) => writeField(holder as ValueMap, String(key), value),
  }
}

function matchField(root: Slot, name: string, rest: string[], create: CreateKind): Slot[] {
  let map = root.get()
  if (isMissingOrNull(map)) {
    if (create === undefined) return []
    map = {}
    root.set(map)
  }
  if (!isMap(map)) throw new BuildError('bad-path', `'${name}' is looked for in a ${kindOf(map)}`)
  if (fieldOf(map, name) === undefined) {
    if (create === undefined) return []
    map[name] = emptyOf(rest[0], create)
  }
  // A path that goes on within a scalar is a matter of structured data, which is tried before.
  if (rest.length > 0 && isScalar(fieldOf(map, name) ?? null)) return []
  return matchPath(slotOf(map, name), rest, create)
}

function emptyOf(next: string | undefined, create: CreateKind): Value {
  const kind = next === undefined ? create : isListSelector(next) || /^\d+$/.test(next) ? 'list' : 'map'
  if (kind === 'list') return []
  return kind === 'map' ? {} : ''
}

function matchIndex(root: Slot, index: number, rest: string[], create: CreateKind): Slot[] {
  const list = listOf(root.get())
  if (list.length === index && create !== undefined) list.push(emptyOf(rest[0], create))
  if (index >= list.length)
    throw new BuildError('bad-path', `index ${index} specified but only ${list.length} elements found`)
  return matchPath(slotOf(list, index), rest, create)
}

function matchItems(root: Slot, part: string, rest: string[], create: CreateKind): Slot[] {
  const { field, wanted } = parseListSelector(part)
  const list = listOf(root.get())
  const found = findItems(list, field, wanted, rest, create)
  if (found.length > 0 || create === undefined) return found
  list.push(field === '' ? plainText(wanted) : { [field]: plainText(wanted) })
  return findItems(list, field, wanted, rest, create)
}

function findItems(list: Value[], field: string, wanted: string, rest: string[], create: CreateKind): Slot[] {
  const pattern = compilePattern(wanted, wanted)
  return list.flatMap((item, at) => {
    const value = field === '' ? item : isMap(item) ? fieldOf(item, field) : undefined
    if (value === undefined || !pattern.matcher(textOf(value)).find()) return []
    return field === '' ? [slotOf(list, at)] : matchPath(slotOf(list, at), rest, create)
  })
}

function listOf(value: Value): Value[] {
  if (isMissingOrNull(value)) return []
  if (isList(value)) return value
  throw new BuildError('bad-path', `a list is wanted, not a ${kindOf(value)}`)
}
