import type { KubeObject } from '@setpoint/manifest'
import { ROLLBACK_ANNOTATION } from './names.ts'

/**
 * A Kustomization is held at an earlier build for as long as its source stands for the build that was rolled back from.
 * A commit that changes nothing of it leaves the hold in place; one that does ends it.
 */
export interface Rollback {
  /** The source revision of the earlier build. */
  revision: string
  /** `sha256:<hex>` of the earlier build, a row of status.history. */
  digest: string
  /** `sha256:<hex>` of the build that was rolled back from. */
  insteadOf: string
}

const DIGEST = /^sha256:[0-9a-f]{64}$/

/** The value of the annotation: `<revision> <digest> instead-of <digest>`. */
export function formatRollback({ revision, digest, insteadOf }: Rollback): string {
  return `${revision} ${digest} instead-of ${insteadOf}`
}

/** The rollback that an object asks for, undefined when it asks for none. @throws RangeError when it cannot be read. */
export function readRollback({ metadata }: Pick<KubeObject, 'metadata'>): Rollback | undefined {
  const value = metadata.annotations?.[ROLLBACK_ANNOTATION]
  if (value === undefined || value === '') return undefined
  const [revision = '', digest = '', word, insteadOf = '', ...more] = value.split(' ')
  const isWhole = revision !== '' && DIGEST.test(digest) && DIGEST.test(insteadOf)
  if (isWhole && word === 'instead-of' && more.length === 0) return { revision, digest, insteadOf }
  throw new RangeError(
    `annotation ${ROLLBACK_ANNOTATION} must be "<revision> <digest> instead-of <digest>"; "setpoint rollback" writes it, "setpoint resume" removes it`,
  )
}
