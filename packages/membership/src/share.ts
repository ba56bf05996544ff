import type { KeyedQueue } from '@setpoint/reconcile'
import type { Membership } from './membership.ts'

export interface ShareOptions {
  membership: Membership
  /** The queue that works on the keys. */
  queue: KeyedQueue
  /** Every key that there is; asked once `begin` was called. */
  keys(): Iterable<string>
  /** Forget what is held in memory of a key: somebody else works on it from now on. */
  onLost(key: string): void
  /**
   * Reads anew what others may have said of keys that have become ours. They are not ours before that is done; when it
   * fails it is tried again.
   */
  prepare(keys: readonly string[]): Promise<void>
  /** Keys have become ours: work on them. */
  onTaken(keys: readonly string[]): void
}

const RETRY_MS = 500

/** The keys that this replica works on, kept up to date as replicas come and go. */
export class Share {
  private readonly options: ShareOptions
  private readonly held = new Set<string>()
  /** Ours, but not prepared yet, with the number of the turn in which they became ours. */
  private readonly coming = new Map<string, number>()
  private turn = 0
  private readonly stopWatching: () => void
  private begun = false
  private stopped = false

  constructor(options: ShareOptions) {
    this.options = options
    this.stopWatching = options.membership.onChange({
      release: (isLost, graceMs) => this.release(isLost, graceMs),
      regain: () => void this.regain(),
    })
  }

  /** It is known now which keys there are: takes those that are ours. */
  begin(): void {
    this.begun = true
    void this.regain()
  }

  /** Whether to work on a key; asked at the start of every run, too. */
  has(key: string): boolean {
    if (!this.begun || !this.options.membership.owns(key) || this.coming.has(key)) return false
    this.held.add(key)
    return true
  }

  /** The key does not exist any more. */
  forget(key: string): void {
    this.held.delete(key)
    this.coming.delete(key)
  }

  stop(): void {
    this.stopped = true
    this.stopWatching()
  }

  private async release(isLost: (key: string) => boolean, graceMs: number): Promise<void> {
    const lost = [...this.held].filter(isLost)
    for (const key of lost) this.held.delete(key)
    for (const key of [...this.coming.keys()].filter(isLost)) this.coming.delete(key)
    await this.options.queue.release(isLost, graceMs)
    for (const key of lost) if (!this.held.has(key)) this.options.onLost(key)
  }

  private async regain(): Promise<void> {
    if (!this.begun) return
    const { keys, membership, onTaken } = this.options
    const isNew = (key: string) => !this.held.has(key) && !this.coming.has(key) && membership.owns(key)
    const gained = [...keys()].filter(isNew)
    if (gained.length === 0) return
    const turn = ++this.turn
    for (const key of gained) this.coming.set(key, turn)
    const isComing = (key: string) => this.coming.get(key) === turn
    // Who is alone takes over from nobody.
    if (membership.replicas.length > 0) await this.untilPrepared(gained, isComing)
    // One that was lost and came back meanwhile belongs to a later turn: others may have worked on it in between.
    const taken = gained.filter((key) => isComing(key) && this.coming.delete(key) && this.has(key))
    if (taken.length > 0) onTaken(taken)
  }

  private async untilPrepared(keys: readonly string[], isComing: (key: string) => boolean): Promise<void> {
    while (!this.stopped && keys.some(isComing))
      try {
        return await this.options.prepare(keys)
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
  }
}
