import { isDeepStrictEqual } from 'node:util'
import { type Bus, BusError } from '@setpoint/bus'
import type { MessageType } from '@setpoint/contracts'
import type { Log } from './context.ts'

interface Said {
  data: unknown
  isStored: boolean
  publish(): Promise<void>
}

const RETRY_MS = 2_000

/**
 * Says on the bus what is: the last scan, choice and commit of each object. Nothing that we do waits for it: what cannot
 * be said while NATS is away is said when it is back, and all of it again when NATS has lost its state.
 */
export class Announcer {
  private readonly bus: Bus
  private readonly log: Log
  private readonly said = new Map<string, Said>()
  private working: Promise<void> | undefined
  private timer: NodeJS.Timeout | undefined

  constructor(bus: Bus, log: Log) {
    this.bus = bus
    this.log = log
    bus.onStateLost(() => this.sayAgain())
  }

  /** The present state of a subject. */
  say<T>(type: MessageType<T>, subject: string, data: T, traceId: string): void {
    const before = this.said.get(subject)
    if (before !== undefined && isDeepStrictEqual(before.data, data)) return
    const publish = () => this.bus.publish(type, subject, data, { traceId })
    this.said.set(subject, { data, isStored: false, publish })
    this.work()
  }

  /** Somebody else says it from now on. */
  leave(subject: string): void {
    this.said.delete(subject)
  }

  /** Its object is gone. */
  takeBack(subject: string): void {
    this.said.delete(subject)
    this.bus.forget(subject).catch((error) => this.note(error))
  }

  stop(): void {
    clearTimeout(this.timer)
    this.said.clear()
  }

  private sayAgain(): void {
    for (const one of this.said.values()) one.isStored = false
    this.work()
  }

  private work(): void {
    this.working ??= this.publishAll().finally(() => {
      this.working = undefined
    })
  }

  private async publishAll(): Promise<void> {
    clearTimeout(this.timer)
    for (;;) {
      const next = [...this.said.values()].find(({ isStored }) => !isStored)
      if (next === undefined) return
      try {
        await next.publish()
        next.isStored = true
      } catch (error) {
        this.note(error)
        this.timer = setTimeout(() => this.work(), RETRY_MS)
        this.timer.unref()
        return
      }
    }
  }

  private note(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    if (error instanceof BusError) this.log.debug({ reason }, 'NATS is away; it is said later')
    else this.log.warn({ reason }, 'something could not be said on the bus')
  }
}
