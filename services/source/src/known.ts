import type { ArchiveOutline, Blobs, Changes, Snapshot } from '@setpoint/artifact'
import type { StoredBytes } from '@setpoint/contracts'
import type { Ignore } from '@setpoint/git'
import type { SourceState } from './state.ts'

/** The snapshot that deltas are made against, and where it is stored. */
export interface Base {
  stored: StoredBytes
  snapshot: Snapshot
}

/** A content, by what it is and not by what the origin calls it. */
export interface Blob {
  blobId: string
  /** Bytes. */
  size: number
}

/** The files of an artifact, as what differs from the snapshot that it is published against. */
export interface Listed {
  changes: Changes
  /** How many files there are. */
  count: number
  /** Bytes of all files. */
  bytes: number
}

/** What is held in memory of one source. All of it can be had again from disk, the origin or the bus. */
export interface Known {
  uid: string
  /** What was published last; undefined before the first artifact. Read from disk after a start. */
  state: SourceState | undefined
  stateRead: boolean
  base: Base | undefined
  /** Contents that travel in the delta, by blob id. */
  fresh: Blobs
  /** The files of what was published last, when this process listed them. */
  listed: Listed | undefined
  /** What the last archive consists of, as one of what differs from a snapshot. */
  outline: { snapshot: Snapshot; changes: Changes; archive: ArchiveOutline } | undefined
  /** The contents that were read before, by what the origin calls them. */
  blobs: Map<string, Blob>
  /** Digest of the record of the newest revision, when it is known to be stored. */
  recorded: string | undefined
  /** Digests of the packs and the snapshot that were seen on the bus after a record named them. */
  assured: ReadonlySet<string>
  /** The compiled ignore rules, and of which files and spec they were made. */
  ignore: { key: string; rules: Ignore; excluded: Map<string, boolean> } | undefined
  /** True once the message in the stream was compared with the state. */
  published: boolean
}

/** The Knowns of all objects of a kind, by key. One of a new uid starts anew. */
export class Memory {
  private readonly entries = new Map<string, Known>()
  /** How often what is in the streams came into doubt. */
  doubts = 0

  of(key: string, uid: string): Known {
    const found = this.entries.get(key)
    if (found?.uid === uid) return found
    const known: Known = {
      uid,
      state: undefined,
      stateRead: false,
      base: undefined,
      fresh: new Map(),
      listed: undefined,
      outline: undefined,
      blobs: new Map(),
      recorded: undefined,
      assured: new Set(),
      ignore: undefined,
      published: false,
    }
    this.entries.set(key, known)
    return known
  }

  find(key: string): Known | undefined {
    return this.entries.get(key)
  }

  forget(key: string): void {
    this.entries.delete(key)
  }

  /** What is in the streams is in doubt: the next run of each looks. */
  doubtPublished(): void {
    this.doubts += 1
    for (const known of this.entries.values()) doubt(known)
  }
}

/** What is in the streams may be something else than what we know. */
export function doubt(known: Known): void {
  known.published = false
  known.recorded = undefined
  known.assured = new Set()
}
