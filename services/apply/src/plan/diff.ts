import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '@setpoint/manifest'

/**
 * True when applying would change something that counts: labels, annotations, or anything outside metadata and status.
 * Both are what the API server says: the live object, and the answer to a dry run.
 */
export function hasDrifted(live: KubeObject, dryRun: KubeObject): boolean {
  return (
    !isDeepStrictEqual(live.metadata.labels ?? {}, dryRun.metadata.labels ?? {}) ||
    !isDeepStrictEqual(live.metadata.annotations ?? {}, dryRun.metadata.annotations ?? {}) ||
    !isDeepStrictEqual(content(live), content(dryRun))
  )
}

function content(object: KubeObject): Record<string, unknown> {
  const { metadata: _metadata, status: _status, ...rest } = object
  return rest
}
