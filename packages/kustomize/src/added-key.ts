import { resolvePlain } from '@setpoint/manifest'
import { BuildError } from './build-error.ts'

/**
 * A key that a build adds to a map of an object. kustomize writes it without quotes, so that it must not read as a
 * number, a boolean, a null, a date or a merge key; it gives up on one that does, and so do we.
 */
export function addedKey(key: string): string {
  refuseProto(key)
  const isText = resolvePlain(key, 'kustomize') === key && key !== '<<'
  if (isText) return key
  throw new BuildError('bad-value', `the key '${key}' would not read as a string; use another one`)
}

/** JavaScript gives this name a meaning of its own. */
export function refuseProto(name: string): void {
  if (name === '__proto__') throw new BuildError('bad-value', 'a key named __proto__ is not supported')
}
