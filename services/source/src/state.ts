import { createHash } from 'node:crypto'
import type { Artifact, ArtifactTree } from '@setpoint/contracts'
import type { VerificationResult } from './verification.ts'

/** What is known of the artifact of one repository; kept on disk, so that a restart fetches nothing. */
export interface SourceState {
  /** Digest of the spec.url that it came from: a URL may hold a password, which must not be on disk. */
  urlDigest: string
  /** The reference and commit that were resolved, in one text: equal means that nothing has moved. */
  resolved: string
  revision: string
  commit: string
  /** First line of the commit message. */
  subject: string
  /** spec.ignore; '' when there is none. */
  ignore: string
  /** Digest of everything else that it was made with. */
  recipe: string
  /** Artifacts of other repositories that are in it. */
  included: Artifact[]
  verification?: VerificationResult
  /** What the bus was told. Inline bytes are included. */
  tree: ArtifactTree
  /** The archive; undefined until it was made. */
  archive?: Artifact
}

export function digestOfUrl(url: string): string {
  return `sha256:${createHash('sha256').update(url).digest('hex')}`
}

/** Reads a state back; undefined when it is none of ours. */
export function readState(json: string): SourceState | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return isState(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isState(value: unknown): value is SourceState {
  if (typeof value !== 'object' || value === null) return false
  const texts = ['urlDigest', 'resolved', 'revision', 'commit', 'subject', 'ignore', 'recipe'] as const
  const fields = value as Record<string, unknown>
  return (
    texts.every((name) => typeof fields[name] === 'string') &&
    Array.isArray(fields.included) &&
    typeof fields.tree === 'object' &&
    fields.tree !== null
  )
}
