import { isNonString11, SourceScalar } from '@setpoint/manifest'
import { isScalar, textOf, type Value, type ValueMap } from './value.ts'

interface Place {
  map: ValueMap
  key: string
}

/**
 * A scalar that stands in several fields of an object at once. kustomize adds a label to all fields of an object as
 * one and the same node, so that what changes it later in one field changes it in all; we give the same answer.
 */
class SharedScalar extends SourceScalar {
  readonly places: Place[] = []
}

/** A string to be added to several maps; see `addShared`. */
export function sharedText(text: string): SourceScalar {
  return new SharedScalar(text, text, isNonString11(text))
}

export function addShared(map: ValueMap, key: string, scalar: SourceScalar): void {
  map[key] = scalar
  if (scalar instanceof SharedScalar) scalar.places.push({ map, key })
}

/** Writes a field. Where a shared scalar stood in it, all fields that share it change. */
export function writeField(map: ValueMap, key: string, value: Value): void {
  const old = map[key]
  if (!(old instanceof SharedScalar) || old === value || !isScalar(value)) {
    map[key] = value
    return
  }
  const places = old.places.filter((place) => place.map[place.key] === old)
  const shared = shareLike(value)
  for (const place of [...places, { map, key }]) addShared(place.map, place.key, shared)
}

function shareLike(value: Value): SharedScalar {
  if (value instanceof SourceScalar) return new SharedScalar(value.text, value.value, value.quoted)
  const plain = value as string | number | bigint | boolean | null
  return new SharedScalar(textOf(value), plain, typeof plain === 'string')
}
