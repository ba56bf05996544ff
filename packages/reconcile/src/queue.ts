import { RunTooLong } from './errors.ts'

/** Hot work first: a change that somebody waits for goes before bookkeeping and periodic checks. */
export type Priority = 'high' | 'normal' | 'low'

export interface QueueOptions {
  /** How many keys are worked on at once. */
  workers: number
  /** Works on one key; never called twice for the same key at the same time. */
  handle(key: string, run: Run): Promise<Result>
  /** Called when handle throws. The key is tried again after the back-off (or the error's own retryAfterMs). */
  onError?(key: string, error: unknown, attempt: number): void
  /** After a failure: from minMs, doubling to maxMs. Default 750 ms to 15 min, as Flux. */
  backoff?: { minMs: number; maxMs: number }
  /** The longest one run may take before its signal is aborted with a RunTooLong. Default 10 min. */
  deadlineMs?: number | ((key: string) => number)
  /**
   * A run that takes longer than this gives its place to another key, so that those who wait for something (a webhook, a
   * finalizer) do not hold up the others. Default: never.
   */
  slowAfterMs?: number
  /** So many places may be given away. Default 64. */
  maxSlow?: number
  /** Milliseconds of a clock that nobody sets, for a jump must not make a queue look stuck. Default performance.now. */
  now?: () => number
  /** 0 to 1. Default Math.random. */
  random?: () => number
}

export interface Run {
  /** Aborted when the deadline passes, when the key is interrupted, and when the queue stops for good. */
  signal: AbortSignal
  /** 1 for the first try, counting failures in a row. */
  attempt: number
}

/** When to look at the key again by itself. Nothing: only when it is added again. */
export type Result = undefined | { requeueAfterMs: number; priority?: Priority }

export interface QueueHealth {
  ready: number
  running: number
  /** How long the oldest ready key has waited. 0 when none waits. */
  oldestReadyMs: number
  longestRunMs: number
  /** Runs that ended, since the start. */
  finished: number
}

const RANKS: Record<Priority, number> = { high: 0, normal: 1, low: 2 }
const BY_RANK: readonly Priority[] = ['high', 'normal', 'low']

interface Entry {
  state: 'idle' | 'ready' | 'running'
  priority: Priority
  readySince: number
  /** Added again while running. */
  again: Priority | undefined
  failures: number
  timer: NodeJS.Timeout | undefined
  /** When the timer fires. */
  dueAt: number
  timerPriority: Priority
  run:
    | { abort: AbortController; since: number; ended: PromiseWithResolvers<void>; gaveWay: boolean }
    | undefined
  /** Given away while it ran: its end asks for nothing. */
  released: boolean
}

/**
 * A work queue by key: a key waits at most once, never runs twice at the same time, and what is added while it
 * runs makes it run once more. Memory is bounded by the number of keys.
 */
export class KeyedQueue {
  private readonly options: Required<Omit<QueueOptions, 'onError'>> & Pick<QueueOptions, 'onError'>
  private readonly entries = new Map<string, Entry>()
  private readonly lanes: Record<Priority, Set<string>> = {
    high: new Set(),
    normal: new Set(),
    low: new Set(),
  }
  private running = 0
  /** Runs that gave their place to others. */
  private slow = 0
  private finished = 0
  private stopped = false
  private idleWaiters: (() => void)[] = []

  constructor(options: QueueOptions) {
    this.options = {
      backoff: { minMs: 750, maxMs: 15 * 60_000 },
      deadlineMs: 10 * 60_000,
      slowAfterMs: Number.POSITIVE_INFINITY,
      maxSlow: 64,
      now: () => performance.now(),
      random: Math.random,
      ...options,
    }
  }

  /** Asks for a run of the key: now, or when delayMs has passed. The earlier of two wishes wins. */
  add(key: string, wish: { priority?: Priority; delayMs?: number } = {}): void {
    if (this.stopped) return
    const entry = this.entry(key)
    const priority = wish.priority ?? 'normal'
    if (wish.delayMs !== undefined && wish.delayMs > 0) this.schedule(key, entry, wish.delayMs, priority)
    else this.ready(key, entry, priority)
  }

  /** What they failed for may be over: every key that waits for another try after a failure is tried now. */
  retryFailed(): void {
    for (const [key, entry] of this.entries)
      if (entry.state === 'idle' && entry.failures > 0) this.ready(key, entry, 'normal')
  }

  /** Aborts the run of a key, if there is one, so that a newer wish is served at once. */
  interrupt(key: string, reason: Error): void {
    this.entries.get(key)?.run?.abort.abort(reason)
  }

  /** Forgets a key that no longer exists: no timer, no failures. A run that is under way ends by itself. */
  forget(key: string): void {
    const entry = this.entries.get(key)
    if (entry === undefined) return
    this.clearTimer(entry)
    this.lanes[entry.priority].delete(key)
    if (entry.state === 'running') entry.again = undefined
    else this.entries.delete(key)
  }

  /**
   * Gives every key that matches away: it is forgotten, and a run that is under way may end within graceMs, then it is
   * aborted. Settles when none of them runs any more.
   */
  async release(matches: (key: string) => boolean, graceMs: number): Promise<void> {
    const runs: NonNullable<Entry['run']>[] = []
    for (const [key, entry] of [...this.entries]) {
      if (!matches(key)) continue
      this.forget(key)
      if (entry.run === undefined) continue
      entry.released = true
      runs.push(entry.run)
    }
    const reason = new Error('somebody else works on it from now on')
    const timer = setTimeout(() => runs.forEach(({ abort }) => void abort.abort(reason)), graceMs)
    await Promise.all(runs.map(({ ended }) => ended.promise))
    clearTimeout(timer)
  }

  health(): QueueHealth {
    const now = this.options.now()
    let oldest = now
    let longest = now
    let ready = 0
    for (const entry of this.entries.values()) {
      if (entry.state === 'ready') {
        ready += 1
        oldest = Math.min(oldest, entry.readySince)
      }
      if (entry.run !== undefined) longest = Math.min(longest, entry.run.since)
    }
    return {
      ready,
      running: this.running + this.slow,
      oldestReadyMs: now - oldest,
      longestRunMs: now - longest,
      finished: this.finished,
    }
  }

  /**
   * Takes no more work and waits for the runs under way, for at most graceMs; then aborts them.
   * Nothing is lost: the queue only holds hints, and the truth is elsewhere.
   */
  async stop(graceMs = 10_000): Promise<void> {
    this.stopped = true
    for (const entry of this.entries.values()) clearTimeout(entry.timer)
    for (const lane of BY_RANK) this.lanes[lane].clear()
    const timer = setTimeout(() => this.abortAll(), graceMs)
    await this.idle()
    clearTimeout(timer)
  }

  private abortAll(): void {
    for (const entry of this.entries.values()) entry.run?.abort.abort(new Error('the service stops'))
  }

  private idle(): Promise<void> {
    if (this.running + this.slow === 0) return Promise.resolve()
    return new Promise((resolve) => this.idleWaiters.push(resolve))
  }

  private entry(key: string): Entry {
    const found = this.entries.get(key)
    if (found !== undefined) return found
    const entry: Entry = {
      state: 'idle',
      priority: 'normal',
      readySince: 0,
      again: undefined,
      failures: 0,
      timer: undefined,
      dueAt: Number.POSITIVE_INFINITY,
      timerPriority: 'normal',
      run: undefined,
      released: false,
    }
    this.entries.set(key, entry)
    return entry
  }

  private schedule(key: string, entry: Entry, delayMs: number, priority: Priority): void {
    const dueAt = this.options.now() + delayMs
    if (entry.timer !== undefined && entry.dueAt <= dueAt) return
    clearTimeout(entry.timer)
    entry.dueAt = dueAt
    entry.timerPriority = priority
    entry.timer = setTimeout(() => {
      this.clearTimer(entry)
      this.ready(key, entry, priority)
    }, delayMs)
  }

  private clearTimer(entry: Entry): void {
    clearTimeout(entry.timer)
    entry.timer = undefined
    entry.dueAt = Number.POSITIVE_INFINITY
  }

  private ready(key: string, entry: Entry, priority: Priority): void {
    if (this.stopped) return
    if (entry.state === 'running') {
      entry.again = higher(entry.again, priority)
      return
    }
    if (entry.state === 'ready') {
      if (RANKS[priority] >= RANKS[entry.priority]) return
      this.lanes[entry.priority].delete(key)
    } else {
      entry.state = 'ready'
      entry.readySince = this.options.now()
    }
    entry.priority = priority
    this.lanes[priority].add(key)
    this.pump()
  }

  private pump(): void {
    while (!this.stopped && this.running < this.options.workers) {
      const key = this.next()
      if (key === undefined) return
      void this.work(key, this.entry(key))
    }
  }

  private next(): string | undefined {
    for (const priority of BY_RANK) {
      const [key] = this.lanes[priority]
      if (key === undefined) continue
      this.lanes[priority].delete(key)
      return key
    }
    return undefined
  }

  private async work(key: string, entry: Entry): Promise<void> {
    entry.state = 'running'
    entry.again = undefined
    // A run that starts now serves a wish for later as well, unless it asks for it again.
    this.clearTimer(entry)
    this.running += 1
    const abort = new AbortController()
    const ended = Promise.withResolvers<void>()
    entry.run = { abort, since: this.options.now(), ended, gaveWay: false }
    entry.released = false
    const deadlineMs = this.deadlineOf(key)
    const deadline = setTimeout(() => abort.abort(new RunTooLong(deadlineMs)), deadlineMs)
    const slowness = this.afterSlow(() => this.giveWay(entry))
    try {
      const result = await this.options.handle(key, { signal: abort.signal, attempt: entry.failures + 1 })
      entry.failures = 0
      this.finish(key, entry, result)
    } catch (error) {
      entry.failures += 1
      if (!entry.released) this.options.onError?.(key, error, entry.failures)
      this.finish(key, entry, { requeueAfterMs: retryAfterMs(error) ?? this.backoffMs(entry.failures) })
    } finally {
      clearTimeout(deadline)
      clearTimeout(slowness)
      this.pump()
    }
  }

  private deadlineOf(key: string): number {
    const { deadlineMs } = this.options
    return typeof deadlineMs === 'number' ? deadlineMs : deadlineMs(key)
  }

  private afterSlow(act: () => void): NodeJS.Timeout | undefined {
    const { slowAfterMs } = this.options
    return Number.isFinite(slowAfterMs) ? setTimeout(act, slowAfterMs) : undefined
  }

  private giveWay({ run }: Entry): void {
    if (run === undefined || this.slow >= this.options.maxSlow) return
    run.gaveWay = true
    this.slow += 1
    this.running -= 1
    this.pump()
  }

  private finish(key: string, entry: Entry, result: Result): void {
    if (entry.run?.gaveWay) this.slow -= 1
    else this.running -= 1
    this.finished += 1
    entry.run?.ended.resolve()
    entry.run = undefined
    entry.state = 'idle'
    if (this.running + this.slow === 0) for (const waiter of this.idleWaiters.splice(0)) waiter()
    if (this.stopped) return
    if (entry.released && entry.again === undefined) {
      this.entries.delete(key)
      return
    }
    const { again } = entry
    // The next run may begin right here; its entry must stay.
    if (again !== undefined) this.ready(key, entry, again)
    if (result !== undefined)
      this.schedule(key, entry, Math.max(result.requeueAfterMs, 1), result.priority ?? 'low')
    else if (again === undefined && entry.timer === undefined && entry.failures === 0)
      this.entries.delete(key)
  }

  private backoffMs(failures: number): number {
    const { minMs, maxMs } = this.options.backoff
    const full = Math.min(minMs * 2 ** (failures - 1), maxMs)
    return full * (0.9 + 0.2 * this.options.random())
  }
}

function higher(a: Priority | undefined, b: Priority): Priority {
  return a !== undefined && RANKS[a] <= RANKS[b] ? a : b
}

/** An error may carry its own policy: how long to wait before the next try. */
function retryAfterMs(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('retryAfterMs' in error)) return undefined
  return typeof error.retryAfterMs === 'number' ? error.retryAfterMs : undefined
}
