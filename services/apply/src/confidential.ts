import type { KubeObject } from '@setpoint/manifest'

const MARK = Symbol('confidential')

/** Notes that an object holds values that were encrypted or kept in a Secret. A spread copy keeps the mark; JSON has none. */
export function markConfidential(object: KubeObject): void {
  Object.assign(object, { [MARK]: true })
}

export function isConfidential(object: KubeObject): boolean {
  return object.kind === 'Secret' || (object as { [MARK]?: boolean })[MARK] === true
}
