import { createHash } from 'node:crypto'
import type { Artifact, ArtifactTree } from '@setpoint/contracts'

/** Told apart by it from what earlier versions wrote, which is made anew. */
export const STATE_FORMAT = 2

/** What is known of the artifact of one source; kept on disk, so that a restart fetches nothing. */
export interface SourceState {
  format: typeof STATE_FORMAT
  /** Digest of the address that it came from: a URL may hold a password, which must not be on disk. */
  urlDigest: string
  /** What was resolved, in one text: equal means that nothing has moved. */
  resolved: string
  revision: string
  /** Names the file of the archive: a commit, or a digest. */
  id: string
  /** First line of the commit message; '' where there is none. */
  subject: string
  /** spec.ignore; '' when there is none. */
  ignore: string
  /** Digest of everything else that it was made with. */
  recipe: string
  /** Artifacts of other sources that are in it. */
  included: Artifact[]
  verification?: { mode: string; message: string }
  /** What the origin says of it. */
  metadata?: Record<string, string>
  /** The archive is what was fetched, byte for byte: it cannot be made of the tree. */
  isVerbatim?: boolean
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
  const texts = ['urlDigest', 'resolved', 'revision', 'id', 'subject', 'ignore', 'recipe'] as const
  const fields = value as Record<string, unknown>
  return (
    fields.format === STATE_FORMAT &&
    texts.every((name) => typeof fields[name] === 'string') &&
    Array.isArray(fields.included) &&
    typeof fields.tree === 'object' &&
    fields.tree !== null &&
    (fields.archive === undefined || isArchive(fields.archive))
  )
}

function isArchive(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { path, digest, revision } = value as Record<string, unknown>
  return [path, digest, revision].every((text) => typeof text === 'string')
}
