import { isMap, isMissingOrNull, isNilOrEmpty, isScalar, textOf, type Value, valueText } from '../value.ts'
import { type MergeContext, strategicMerge } from './strategic-merge.ts'

/**
 * Merges lists whose items are found by keys. Follows kustomize step by step, because the order of the result
 * and what becomes of items without a key come from these steps: new items first, then those of the target.
 */
export function mergeAssociativeList(
  target: Value[],
  patch: Value[] | undefined,
  context: MergeContext,
): Value[] {
  const keys = context.schema?.k ?? []
  const sources = [target, patch]
  const keyed = keys.length > 0
  const values = keyed ? keyValues(sources, keys) : scalarValues(sources)
  return mergeItems(target, patch, {
    ...context,
    keys: keyed ? keys : [''],
    values: keys.length > 1 ? fillIn(values) : values,
  })
}

type ListContext = MergeContext & { keys: string[]; values: string[][] }

/** The keys of all items, of the patch first, each once. */
function keyValues([target, patch]: (Value[] | undefined)[], keys: string[]): string[][] {
  const seen = new Set<string>()
  const result: string[][] = []
  for (const item of [...(patch ?? []), ...(target ?? [])]) {
    const values = keys.map((key) => (isMap(item) && !isNilOrEmpty(item[key]) ? textOf(item[key]) : ''))
    const id = JSON.stringify(values)
    if (!seen.has(id)) result.push(values)
    seen.add(id)
  }
  return result
}

function scalarValues([target, patch]: (Value[] | undefined)[]): string[][] {
  return [...new Set([...(patch ?? []), ...(target ?? [])].map(textOf))].map((text) => [text])
}

/** Items that name only some of the keys are taken for those that agree in the rest. */
function fillIn(list: string[][]): string[][] {
  for (let i = 0; i < list.length; i += 1) {
    for (let j = 0; j < list.length; j += 1) {
      const common = commonValues(list[i] ?? [], list[j] ?? [])
      if (common === undefined) continue
      list[i] = common
      list[j] = common
    }
  }
  return list
}

function commonValues(left: string[], right: string[]): string[] | undefined {
  if (left.length !== right.length) return undefined
  if (left.some((value, at) => value !== right[at] && value !== '' && right[at] !== '')) return undefined
  if (!left.some((value, at) => value === right[at])) return undefined
  return left.map((value, at) => (value === '' ? (right[at] ?? '') : value))
}

function mergeItems(target: Value[], patch: Value[] | undefined, context: ListContext): Value[] {
  const { schemas, schema, keys, values: valuesList, path } = context
  const itemSchema = schema === undefined ? undefined : schemas.items(schema)
  const added: Value[] = []
  let used = keys
  for (const values of valuesList) {
    const chosen = chooseKeys(valuesList, values, keys)
    used = chosen.keys
    const merged = strategicMerge(
      findItem(target, chosen),
      patch === undefined ? undefined : findItem(patch, chosen),
      {
        schemas,
        schema: itemSchema,
        path,
      },
    )
    if (isNilOrEmptyMap(merged)) {
      for (const _key of chosen.keys) setItem(target, undefined, chosen)
      continue
    }
    if (merged === undefined) continue
    if (isMap(merged)) addKeys(merged, chosen)
    setItem(added, merged, chosen)
  }
  return valuesList.length === 0 ? target : appendItems(added, target, used)
}

function isNilOrEmptyMap(value: Value | undefined): boolean {
  return isMissingOrNull(value) || (isMap(value) && Object.keys(value).length === 0)
}

interface Chosen {
  keys: string[]
  values: string[]
}

/** Leaves out keys that no item has. */
function chooseKeys(valuesList: string[][], values: string[], keys: string[]): Chosen {
  const valid = keys.filter((_key, at) => valuesList.some((other) => (other[at] ?? '') !== ''))
  if (valid.length === 0) return { keys, values }
  return { keys: valid, values: values.filter((value, at) => value !== '' || valid.includes(keys[at] ?? '')) }
}

function findItem(list: Value[], chosen: Chosen): Value | undefined {
  const { keys, values } = chooseKeys([chosen.values], chosen.values, chosen.keys)
  if (keys[0] === '') return list.find((item) => isScalar(item) && textOf(item) === values[0])
  return list.find(
    (item) =>
      isMap(item) && keys.every((key, at) => item[key] !== undefined && textOf(item[key]) === values[at]),
  )
}

function addKeys(item: { [key: string]: Value }, { keys, values }: Chosen): void {
  for (const [at, key] of keys.entries()) {
    const value = values[at] ?? ''
    if (item[key] === undefined && value !== '') item[key] = value
  }
}

/** Puts an item in the place of those with its keys, or at the end; without one, removes them. */
function setItem(list: Value[], item: Value | undefined, { keys, values }: Chosen): void {
  const kept: Value[] = []
  let found = false
  for (const candidate of list) {
    if (isNilOrEmptyMap(candidate)) continue
    if (!isMap(candidate) && (keys[0] ?? '') !== '' && (values[0] ?? '') !== '') {
      kept.push(candidate)
      continue
    }
    if (!hasKeys(candidate, keys, values)) {
      if (values.length > 0) kept.push(candidate)
      continue
    }
    found = true
    if (item !== undefined) kept.push(item)
  }
  list.splice(0, list.length, ...kept)
  if (item !== undefined && !found) list.push(item)
}

/** An empty value stands for any. A key beyond the values is as the one before it, as in kustomize. */
function hasKeys(item: Value, keys: string[], values: string[]): boolean {
  let matches = false
  for (const [at, key] of keys.entries()) {
    const value = values[at]
    if (value !== undefined) matches = hasKey(item, key, value)
    if (!matches) return false
  }
  return true
}

function hasKey(item: Value, key: string, value: string): boolean {
  if (key === '') return isScalar(item) && valueText(item) === value
  if (!isMap(item) || item[key] === undefined) return false
  return value === '' || textOf(item[key]) === value
}

function appendItems(list: Value[], items: Value[], keys: string[]): Value[] {
  for (const item of items) {
    if (keys[0] === '') {
      setItem(list, item, { keys, values: [textOf(item)] })
      continue
    }
    const values: string[] = []
    for (const key of keys) {
      const value = isMap(item) ? item[key] : undefined
      if (value === undefined) list.push(item)
      else values.push(textOf(value))
    }
    if (keys.length > 1) setItem(list, undefined, { keys, values })
    setItem(list, item, { keys, values })
  }
  return list
}
