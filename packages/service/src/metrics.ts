import type { BusStats } from '@setpoint/bus'
import type { KeyedQueue, QueueHealth } from '@setpoint/reconcile'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** The Prometheus metrics of one service. Flux's names where Flux has one. */
export class Metrics {
  readonly registry = new Registry()
  /** Seconds from the start to the end of one reconciliation. */
  readonly reconcileDuration: Histogram<'kind' | 'name' | 'namespace'>
  readonly reconcileErrors: Counter<'controller'>

  private readonly queues = new Map<string, KeyedQueue>()

  constructor() {
    collectDefaultMetrics({ register: this.registry })
    this.reconcileDuration = this.histogram(
      'gotk_reconcile_duration_seconds',
      'The duration in seconds of a reconciliation.',
      ['kind', 'name', 'namespace'],
      [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300],
    )
    this.reconcileErrors = this.counter(
      'controller_runtime_reconcile_errors_total',
      'Failed reconciliations.',
      ['controller'],
    )
  }

  counter<L extends string>(name: string, help: string, labelNames: L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }

  gauge<L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] })
  }

  histogram<L extends string>(name: string, help: string, labelNames: L[], buckets: number[]): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] })
  }

  /** Shows a queue's depth under controller-runtime's names. */
  watchQueue(name: string, queue: KeyedQueue): void {
    this.queues.set(name, queue)
    if (this.queues.size > 1) return
    this.showQueues('workqueue_depth', 'Keys that wait for work.', (health) => health.ready)
    this.showQueues(
      'workqueue_longest_running_processor_seconds',
      'Age of the longest run.',
      (health) => health.longestRunMs / 1000,
    )
    this.showQueues('workqueue_finished_total', 'Runs that ended.', (health) => health.finished)
  }

  /** Shows messages and bytes on the bus by message type. */
  watchBus(stats: BusStats): void {
    const show = (direction: 'published' | 'received', unit: 'messages' | 'bytes') =>
      new Gauge({
        name: `setpoint_bus_${direction}_${unit}_total`,
        help: `Bus ${unit} ${direction}, by message type.`,
        labelNames: ['type'],
        registers: [this.registry],
        collect() {
          for (const [type, counts] of Object.entries(stats[direction])) this.set({ type }, counts[unit])
        },
      })
    for (const direction of ['published', 'received'] as const) {
      show(direction, 'messages')
      show(direction, 'bytes')
    }
    new Gauge({
      name: 'setpoint_bus_dead_letters_total',
      help: 'Messages that could not be read.',
      registers: [this.registry],
      collect() {
        this.set(stats.deadLetters)
      },
    })
  }

  /** Shows how many core/v1 Events wait to be written. */
  watchEvents(events: { readonly pending: number }): void {
    new Gauge({
      name: 'setpoint_events_waiting',
      help: 'Kubernetes Events that wait to be written.',
      registers: [this.registry],
      collect() {
        this.set(events.pending)
      },
    })
  }

  private showQueues(metric: string, help: string, value: (health: QueueHealth) => number): void {
    const { queues } = this
    new Gauge({
      name: metric,
      help,
      labelNames: ['name'],
      registers: [this.registry],
      collect() {
        for (const [name, queue] of queues) this.set({ name }, value(queue.health()))
      },
    })
  }
}
