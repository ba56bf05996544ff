import { createHash } from 'node:crypto'
import { printJson } from '../json-text.ts'
import { isMap, textOf, type Value, type ValueMap } from '../value.ts'

/** The suffix for the name of an object that was generated: kustomize's hash of its content. */
export function contentHash(object: ValueMap): string {
  switch (textOf(object.kind)) {
    case 'ConfigMap':
      return encodeHash(configMapText(object))
    case 'Secret':
      return encodeHash(secretText(object))
    default:
      return encodeHash(printJson(object))
  }
}

/** kustomize looks for the name in the wrong place, so it is always empty here; the name does not change the hash. */
function configMapText(object: ValueMap): string {
  const { data, binaryData } = object
  const hashed: ValueMap = { kind: 'ConfigMap', name: '', data: dataOf(data) }
  if (isMap(binaryData)) hashed.binaryData = binaryData
  return printJson(hashed)
}

function secretText(object: ValueMap): string {
  const { data, stringData, type } = object
  const hashed: ValueMap = { kind: 'Secret', name: '', type: dataOf(type), data: dataOf(data) }
  if (isMap(stringData)) hashed.stringData = stringData
  return printJson(hashed)
}

function dataOf(value: Value | undefined): Value {
  return isMap(value) ? value : textOf(value)
}

const letters: Record<string, string> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' }

/** Ten letters of the SHA-256, changed so that they spell no word. */
function encodeHash(text: string): string {
  return createHash('sha256')
    .update(text)
    .digest('hex')
    .slice(0, 10)
    .replace(/[013ae]/g, (letter) => letters[letter] ?? letter)
}
