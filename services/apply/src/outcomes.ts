import { type Bus, newTraceId } from '@setpoint/bus'
import { type OutcomeMessage, outcomeMessage, subjects } from '@setpoint/contracts'
import { KeyedQueue } from '@setpoint/reconcile'

/** Publishes the last outcome of every Kustomization; one that NATS did not take is sent again, the newest only. */
export class Outcomes {
  readonly queue: KeyedQueue
  private readonly bus: Bus
  private readonly last = new Map<string, { outcome: OutcomeMessage; traceId: string }>()

  constructor(bus: Bus) {
    this.bus = bus
    this.queue = new KeyedQueue({
      workers: 4,
      backoff: { minMs: 250, maxMs: 5_000 },
      handle: (key) => this.send(key),
    })
  }

  publish(key: string, outcome: OutcomeMessage, traceId: string | undefined): void {
    this.last.set(key, { outcome, traceId: traceId ?? newTraceId() })
    this.queue.add(key)
  }

  /** NATS has lost its state: say everything again. */
  publishAll(): void {
    for (const key of this.last.keys()) this.queue.add(key, { priority: 'low' })
  }

  forget(key: string): void {
    this.last.delete(key)
    this.queue.forget(key)
  }

  private async send(key: string): Promise<undefined> {
    const found = this.last.get(key)
    if (found === undefined) return undefined
    const { outcome, traceId } = found
    await this.bus.publish(outcomeMessage, subjects.outcome(outcome), outcome, { traceId })
    return undefined
  }
}
