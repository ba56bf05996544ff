import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import { nextDelayMs } from './back-off.ts'
import type { Part, Running } from './running.ts'

export interface SupervisorOptions {
  /** Milliseconds since the epoch. */
  now(): number
  /** One line for the person who watches. */
  tell(part: string, line: string): void
  /** A part started, or ended. */
  onChange(): void
}

/** A part that is kept running until it is stopped. */
export interface Supervised {
  name: string
  /** Of the present process; undefined while it is down. */
  readonly pid: number | undefined
  /** Starts after the first one. */
  readonly restarts: number
  /** Ends it for good. */
  stop(graceMs: number): Promise<void>
}

/** Starts a part, and starts it again whenever it ends, with a growing pause between failures. */
export function supervise(part: Part, options: SupervisorOptions): Supervised {
  const supervised = new KeepRunning(part, options)
  supervised.begin()
  return supervised
}

class KeepRunning implements Supervised {
  readonly name: string
  restarts = 0
  private readonly part: Part
  private readonly options: SupervisorOptions
  private readonly stopping = new AbortController()
  private running: Running | undefined
  private loop: Promise<void> = Promise.resolve()

  constructor(part: Part, options: SupervisorOptions) {
    this.name = part.name
    this.part = part
    this.options = options
  }

  get pid(): number | undefined {
    return this.running?.pid
  }

  begin(): void {
    this.loop = this.keepRunning()
  }

  async stop(graceMs: number): Promise<void> {
    this.stopping.abort()
    await this.running?.stop(graceMs)
    await this.loop
  }

  private async keepRunning(): Promise<void> {
    const { signal } = this.stopping
    let pauseMs = 0
    while (!signal.aborted) {
      const start = this.options.now()
      const how = await this.liveOnce()
      if (signal.aborted) return
      pauseMs = nextDelayMs(pauseMs, this.options.now() - start)
      this.restarts += 1
      this.options.tell(this.name, `${how}; starting it again in ${pauseMs / 1_000} s`)
      await delay(pauseMs, undefined, { signal }).catch(() => undefined)
    }
  }

  private async liveOnce(): Promise<string> {
    try {
      this.running = await this.part.start()
      // A stop that came while it started found nothing to stop.
      if (this.stopping.signal.aborted) await this.running.stop(0)
      this.options.onChange()
      return await this.running.ended
    } catch (error) {
      return messageOf(error)
    } finally {
      this.running = undefined
      this.options.onChange()
    }
  }
}
