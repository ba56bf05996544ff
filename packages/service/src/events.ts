import { createHash } from 'node:crypto'
import type { Bus } from '@setpoint/bus'
import { type EventMessage, type EventSeverity, eventMessage, subjects } from '@setpoint/contracts'
import { KubeApiError, type KubeClient } from '@setpoint/kube'
import type { KubeObject } from '@setpoint/manifest'
import type { Logger } from 'pino'

/** The object that an event is about. */
export interface EventObject {
  apiVersion: string
  kind: string
  metadata: { namespace?: string; name: string; uid?: string; resourceVersion?: string }
}

export interface EventDetails {
  severity: EventSeverity
  reason: string
  /** For people; never a secret. Cut at 39,000 characters on the bus, 1,024 in Kubernetes. */
  message: string
  /** Keys such as `revision`; the prefix of the object's group is added. */
  metadata?: Record<string, string>
  traceId: string
  /** Only on the bus, not as a core/v1 Event: for what happens too often to be written to the API server. */
  busOnly?: boolean
}

/** A core/v1 Event. */
type KubeEvent = KubeObject & { count: number }

const MAX_WAITING = 2_000
const MAX_MESSAGE = 39_000
const MAX_KUBERNETES_MESSAGE = 1_024

/**
 * Tells the world what happened to an object: as Flux's event payload on the bus, and as a core/v1 Event.
 * Sending never delays or fails a reconciliation: it waits in a bounded line, and the oldest is dropped when it is full.
 */
export class EventRecorder {
  private readonly bus: Bus
  private readonly kube: KubeClient
  private readonly log: Logger
  private readonly controller: string
  private readonly instance: string
  private readonly now: () => number
  private readonly waiting: EventMessage[] = []
  private readonly counts = new Map<string, { count: number; first: string }>()
  private sending: Promise<void> | undefined

  constructor(options: {
    bus: Bus
    kube: KubeClient
    log: Logger
    controller: string
    instance: string
    now: () => number
  }) {
    this.bus = options.bus
    this.kube = options.kube
    this.log = options.log
    this.controller = options.controller
    this.instance = options.instance
    this.now = options.now
  }

  record(object: EventObject, details: EventDetails): void {
    const event = this.message(object, details)
    const key = {
      kind: object.kind,
      namespace: event.involvedObject.namespace,
      name: event.involvedObject.name,
    }
    this.bus
      .publish(eventMessage, subjects.event(details.severity, key), event, { traceId: details.traceId })
      .catch((error: unknown) => this.log.debug({ reason: String(error) }, 'an event did not reach the bus'))
    if (details.busOnly === true) return
    if (this.waiting.length >= MAX_WAITING) this.waiting.shift()
    this.waiting.push(event)
    this.sending ??= this.sendAll().finally(() => {
      this.sending = undefined
    })
  }

  /** How many wait to be written to Kubernetes, the one under way included. */
  get pending(): number {
    return this.waiting.length + (this.sending === undefined ? 0 : 1)
  }

  /** Waits until what was recorded has been sent or given up, for a clean stop. */
  async flush(): Promise<void> {
    await this.sending
  }

  private message(object: EventObject, details: EventDetails): EventMessage {
    const [group] = object.apiVersion.split('/')
    const metadata = Object.fromEntries(
      Object.entries(details.metadata ?? {}).map(([key, value]) => [`${group}/${key}`, value]),
    )
    return {
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        namespace: object.metadata.namespace ?? '',
        name: object.metadata.name,
        uid: object.metadata.uid ?? '',
        resourceVersion: object.metadata.resourceVersion ?? '',
      },
      severity: details.severity,
      timestamp: new Date(this.now()).toISOString(),
      message: details.message.slice(0, MAX_MESSAGE),
      reason: details.reason,
      metadata,
      reportingController: this.controller,
      reportingInstance: this.instance,
    }
  }

  private async sendAll(): Promise<void> {
    for (let event = this.waiting.shift(); event !== undefined; event = this.waiting.shift()) {
      try {
        await this.write(this.toKubernetes(event))
      } catch (error) {
        this.log.debug({ reason: String(error) }, 'a Kubernetes event was not written')
      }
    }
  }

  /** One that was not said before is created, which costs the API server less than an apply. */
  private async write(event: KubeEvent): Promise<void> {
    const options = { fieldManager: this.controller, timeoutMs: 10_000 }
    try {
      if (event.count === 1) {
        await this.kube.create(event, options)
        return
      }
    } catch (error) {
      // An earlier process has said it.
      if (!(error instanceof KubeApiError) || error.code !== 409) throw error
    }
    await this.kube.apply(event, options)
  }

  /** The same event again raises the count of the one that is there, as client-go's recorder does. */
  private toKubernetes(event: EventMessage): KubeEvent {
    const { involvedObject, timestamp } = event
    const identity = [
      involvedObject.kind,
      involvedObject.namespace,
      involvedObject.name,
      involvedObject.uid,
      event.reason,
      event.message,
      event.severity,
    ]
    const hash = createHash('sha256').update(identity.join('\n')).digest('hex').slice(0, 16)
    const seen = this.counts.get(hash) ?? { count: 0, first: timestamp }
    seen.count += 1
    this.counts.delete(hash)
    this.counts.set(hash, seen)
    if (this.counts.size > MAX_WAITING)
      for (const oldest of this.counts.keys()) {
        this.counts.delete(oldest)
        break
      }
    const namespace = involvedObject.namespace === '' ? 'default' : involvedObject.namespace
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        namespace,
        name: `${involvedObject.name.slice(0, 200)}.${hash}`,
        ...(Object.keys(event.metadata).length > 0 ? { annotations: event.metadata } : {}),
      },
      involvedObject: withoutEmpty(involvedObject),
      type: event.severity === 'error' ? 'Warning' : 'Normal',
      reason: event.reason,
      message: event.message.slice(0, MAX_KUBERNETES_MESSAGE),
      source: { component: this.controller },
      reportingComponent: this.controller,
      reportingInstance: this.instance,
      firstTimestamp: seen.first.replace(/\.\d+Z$/, 'Z'),
      lastTimestamp: timestamp.replace(/\.\d+Z$/, 'Z'),
      count: seen.count,
    }
  }
}

function withoutEmpty(object: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== ''))
}
