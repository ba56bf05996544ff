import type { SourceObject } from '@setpoint/contracts'
import { sourceKey } from '../keys.ts'

export interface SourceReference {
  kind: string
  namespace: string
  name: string
}

/** How long the source service may take to notice an object, or to send what its status tells of. */
const PATIENCE_MS = 60_000

/**
 * Why a source gives no files, in the words of Flux; undefined while it may still be about to: it has not been looked at,
 * or it has an artifact that its service has yet to send (again). now, and since when we listen: ms since the epoch. Pure.
 */
export function sourceProblem(
  source: SourceReference,
  object: SourceObject | undefined,
  { now, since }: { now: number; since: number },
): string | undefined {
  if (object === undefined) return `Source '${sourceKey(source)}' not found`
  const { artifact } = object.status ?? {}
  if (artifact === undefined && !isUnseen(object)) return 'Source artifact not found, retrying in 30s'
  const changed = Date.parse(artifact?.lastUpdateTime ?? object.metadata.creationTimestamp ?? '') || 0
  if (now - Math.max(changed, since) < PATIENCE_MS) return undefined
  return `Source '${sourceKey(source)}' has not sent ${artifact?.revision ?? 'anything'}: is the source service running?`
}

function isUnseen({ spec, status }: SourceObject): boolean {
  return (
    spec.suspend !== true && (status?.conditions ?? []).length === 0 && (status?.observedGeneration ?? -1) < 0
  )
}
