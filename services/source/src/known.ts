import type { TreeFile } from '@setpoint/artifact'
import type { Ignore } from '@setpoint/git'
import type { SourceState } from './state.ts'

/** What is held in memory of one source. All of it can be had again from disk, the origin or the bus. */
export interface Known {
  uid: string
  /** What was published last; undefined before the first artifact. Read from disk after a start. */
  state: SourceState | undefined
  stateRead: boolean
  /** The tree of the snapshot, by path. */
  base: ReadonlyMap<string, TreeFile> | undefined
  /** Contents that the snapshot does not hold, by blob id: what the delta is made of. */
  fresh: Map<string, Uint8Array>
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
    for (const known of this.entries.values()) known.published = false
  }
}
