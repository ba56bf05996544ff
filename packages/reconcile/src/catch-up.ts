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

  constructor(options: CatchUpOptions) {
    this.options = { quietMs: 1_000, atMostMs: 10_000, batch: 20, ...options }
  }

  /** There is something to be told of a key. */
  note(key: string): void {
    if (this.waiting.size === 0) this.firstAt = performance.now()
    this.waiting.add(key)
    const { quietMs, atMostMs } = this.options
    this.wait(Math.max(0, Math.min(quietMs, this.firstAt + atMostMs - performance.now())))
  }

  /** It was done on another occasion, or is not to be done any more. */
  forget(key: string): void {
    this.waiting.delete(key)
  }

  stop(): void {
    clearTimeout(this.timer)
    this.waiting.clear()
  }

  private wait(ms: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.goOn(), ms)
  }

  private goOn(): void {
    const due = [...this.waiting.values().take(this.options.batch)]
    for (const key of due) this.waiting.delete(key)
    if (this.waiting.size > 0) this.wait(EACH_MS)
    for (const key of due) this.options.onDue(key)
  }
}
