import { BuildError } from '../build-error.ts'
import { splitPath } from '../fields/path.ts'
import type { Selector } from '../kustomization/types.ts'
import type { ResourceList } from '../resource/resource-list.ts'
import { selectResources } from '../resource/selector.ts'
import {
  fieldOf,
  isMap,
  isMissingOrNull,
  isScalar,
  plainText,
  textOf,
  type Value,
  type ValueMap,
} from '../value.ts'
import { setNamespace } from './namespace.ts'

export interface ValueAddTarget {
  selector?: Selector
  fieldPath?: string
  filePathPosition?: number
}

/** Writes a value to fields, or puts it as one part into a path that they hold. */
export function addValue(list: ResourceList, value: string, targets: ValueAddTarget[]): void {
  for (const target of targets) {
    const { fieldPath = '', filePathPosition = 0 } = target
    const resources =
      target.selector === undefined ? list.items : selectResources(list.items, target.selector)
    for (const resource of resources) {
      if (fieldPath === 'metadata/namespace') setNamespace(resource, { namespace: value, fieldSpecs: [] })
      else
        writeField(
          resource.object,
          splitPath(`/${fieldPath}`, '/').filter((part) => part !== ''),
          value,
          filePathPosition,
        )
    }
  }
}

function writeField(object: ValueMap, path: string[], value: string, position: number): void {
  let map = object
  for (const part of path.slice(0, -1)) {
    const next = fieldOf(map, part)
    if (!isMissingOrNull(next) && !isMap(next)) throw new BuildError('bad-value', `'${part}' is not a map`)
    const child: ValueMap = isMap(next) ? next : {}
    map[part] = child
    map = child
  }
  const last = path.at(-1) ?? ''
  map[last] = newValue(fieldOf(map, last), value, position)
}

function newValue(old: Value | undefined, value: string, position: number): Value {
  if (old !== undefined && !isScalar(old)) throw new BuildError('bad-value', 'the field must be a scalar')
  return plainText(position > 0 ? insertPathPart(textOf(old), position - 1, value) : value)
}

/** Puts a part into a path of slashes, at a position that counts from 0. */
function insertPathPart(path: string, position: number, part: string): string {
  const absolute = path.startsWith('/')
  const parts = path.split('/').filter((name) => name !== '')
  parts.splice(Math.min(position, parts.length), 0, part)
  return (absolute ? '/' : '') + parts.join('/')
}
