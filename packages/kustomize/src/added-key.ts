import { resolvePlain } from '@setpoint/manifest'
import { BuildError } from './build-error.ts'

/**
 * A key that a build adds to a map of an object. kustomize writes it without quotes, so that it must not read as a
 * number, a boolean, a null, a date or a merge key; it gives up on one that does, and so do we.
 */
export function addedKey(key: string): string {
  const isText = resolvePlain(key, 'kustomize') === key && key !== '<<'
  if (isText) return key
  throw new BuildError('bad-value', `the key '${key}' would not read as a string; use another one`)
}
