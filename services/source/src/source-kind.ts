import type { SourceObject } from '@setpoint/contracts'
import type { SourceContext, Task } from './context.ts'
import type { Listing } from './listing.ts'
import type { SourceState } from './state.ts'
import type { Made } from './status.ts'

/** What tells one kind of source from another. All else they share. */
export interface SourceKind<T extends SourceObject> {
  gvk: { group: string; version: string; kind: string }
  /** Directory of what is kept on disk, below --storage-path. */
  directory: string
  /**
   * Asks the origin what there is now, and fetches it when it is something else than what was published.
   * @returns undefined when nothing has changed
   * @throws Stalled, SourceFailure, or an error that failure.ts knows
   */
  look(context: SourceContext<T>, task: Task<T>): Promise<Fetched | undefined>
  /** What the status says of how the artifact was made. */
  made(object: T, state: SourceState): Made
  /** What the event says of a new artifact. */
  news(object: T, state: SourceState): string
  /** True when the artifact of one object holds that of another, and is to be made anew with it. */
  isMadeOf?(object: T, other: T): boolean
  /** The service stops: connections are closed. */
  close?(): Promise<void>
}

/** What was fetched, not yet told to anybody. */
export interface Fetched {
  state: Omit<SourceState, 'format' | 'tree' | 'archive'>
  listing: Listing
  surprise?: Surprise | undefined
  /** The archive, where it is served as it came. */
  archive?: Uint8Array
}

/** What is unusual about the way from the last artifact to this one; an event tells of it. */
export interface Surprise {
  reason: 'TagMoved' | 'HistoryRewritten'
  message: string
}
