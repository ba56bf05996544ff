export interface CatchUpOptions {
  /** Called for each key when its time has come. */
  onDue(key: string): void
  /** Begins when nothing was noted for this long, */
  quietMs?: number
  /** or at the latest this long after the first. */
  atMostMs?: number
  /** Keys that are due at once, and then every 100 ms. */
  batch?: number
}

const EACH_MS = 100

/**
 * Bookkeeping that nobody waits for, such as telling many objects of a revision that does not touch them. It waits until
 * a burst of news is over, so that each key is written once for all of it, and then goes at a steady pace.
 */
export class CatchUp {
  private readonly options: Required<CatchUpOptions>
  private readonly waiting = new Set<string>()
  private timer: NodeJS.Timeout | undefined
  private firstAt = 0
  private dueAt = 0

  constructor(options: CatchUpOptions) {
    this.options = { quietMs: 1_000, atMostMs: 10_000, batch: 20, ...options }
  }

  /** There is something to be told of a key. */
  note(key: string): void {
    const now = performance.now()
    if (this.waiting.size === 0) this.firstAt = now
    this.waiting.add(key)
    const { quietMs, atMostMs } = this.options
    this.dueAt = Math.min(now + quietMs, this.firstAt + atMostMs)
    // A timer that is set already looks by itself whether there was news since: thousands are noted at once.
    if (this.timer === undefined) this.wait()
  }

  /** It was done on another occasion, or is not to be done any more. */
  forget(key: string): void {
    this.waiting.delete(key)
  }

  stop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.waiting.clear()
  }

  private wait(): void {
    this.timer = setTimeout(() => this.goOn(), Math.max(0, this.dueAt - performance.now()))
  }

  private goOn(): void {
    this.timer = undefined
    if (performance.now() < this.dueAt) {
      this.wait()
      return
    }
    const due = [...this.waiting.values().take(this.options.batch)]
    for (const key of due) this.waiting.delete(key)
    if (this.waiting.size > 0) {
      this.dueAt = performance.now() + EACH_MS
      this.wait()
    }
    for (const key of due) this.options.onDue(key)
  }
}
