import type { YamlDocument, YamlValue } from '@setpoint/manifest'
import { BuildError } from '../build-error.ts'
import type { Scopes } from '../merge/schema.ts'
import { Resource } from '../resource/resource.ts'
import {
  cloneMap,
  isList,
  isMap,
  isMissingOrNull,
  isNilOrEmpty,
  textOf,
  type Value,
  type ValueMap,
} from '../value.ts'

interface Item {
  value: Value
  line: number
}

/** The resources of a file's documents: lists unwrapped, each with a kind and a name. */
export function readResources(
  documents: YamlDocument<YamlValue>[],
  scopes: Scopes,
  file: string,
): Resource[] {
  const items = inlineLists(unwrapSoleList(documents).filter(checkItem(file)), file)
  return items.map(({ value, line }) => {
    const resource = new Resource(cloneMap(value), scopes, { file, line })
    resource.readNotes()
    return resource
  })
}

/** A List that is alone in its file stands for its items. */
function unwrapSoleList(documents: YamlDocument<YamlValue>[]): Item[] {
  const [only] = documents
  if (documents.length !== 1 || only === undefined || !isMap(only.value)) return documents
  const kind = textOf(only.value.kind)
  if (kind !== 'List' && kind !== 'ResourceList') return documents
  const items = only.value.items
  if (items === undefined && only.value.functionConfig === undefined) return documents
  return isList(items) ? items.map((value) => ({ value, line: only.line })) : []
}

/** False for what is empty. */
function checkItem(file: string): (item: Item) => item is Item & { value: ValueMap } {
  return (item): item is Item & { value: ValueMap } => {
    if (isNilOrEmpty(item.value)) return false
    const place = { file, line: item.line }
    if (!isMap(item.value)) throw new BuildError('bad-value', 'a resource must be a map', place)
    checkMetadata(item.value, place)
    return true
  }
}

/** Every object has a kind, and a name but for lists. */
export function checkMetadata(object: ValueMap, place: { file: string; line: number }): void {
  const kind = textOf(object.kind)
  if (isMissingOrNull(object.kind) || kind === '') {
    throw new BuildError('bad-value', 'missing kind in a resource', { ...place, field: 'kind' })
  }
  if (kind.endsWith('List')) return
  const metadata = object.metadata
  if (isMap(metadata) && !isNilOrEmpty(metadata.name) && textOf(metadata.name) !== '') return
  throw new BuildError('bad-value', `missing metadata.name in a ${kind}`, {
    ...place,
    field: 'metadata.name',
  })
}

/** A FooList with items stands for them; they come after the other documents, as kustomize has it. */
function inlineLists(
  items: (Item & { value: ValueMap })[],
  file: string,
): { value: ValueMap; line: number }[] {
  const result: { value: ValueMap; line: number }[] = []
  const queue = [...items]
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
    const inner = textOf(item.value.kind).endsWith('List') ? item.value.items : undefined
    if (inner === undefined) result.push(item)
    else queue.push(...listItems(inner, item.line, file))
  }
  return result
}

function listItems(items: Value, line: number, file: string): (Item & { value: ValueMap })[] {
  if (isMissingOrNull(items)) return []
  if (!isList(items))
    throw new BuildError('bad-value', 'the items of a list must be an array', { file, line, field: 'items' })
  return items.map((value) => ({ value, line })).filter(checkItem(file))
}
