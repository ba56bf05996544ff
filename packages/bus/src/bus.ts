import {
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  type JetStreamPublishOptions,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import {
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  type KindKey,
  keyOfSubject,
  type MessageType,
  type ObjectKey,
  type ReconcileHint,
  reconcileHint,
  SCHEMA_VERSION,
  subjects,
} from '@setpoint/contracts'
import { ByteStore } from './byte-store.ts'
import { type BusConnectOptions, CONNECT_TIMEOUT_MS, connectNats } from './connection.ts'
import { BusError } from './errors.ts'
import { StateConsumer } from './state-consumer.ts'
import { type BusStats, count } from './stats.ts'
import { StreamKeeper } from './stream-keeper.ts'
import { isStateSubject, streamOf, WRONG_LAST_SEQUENCE } from './streams.ts'

const PUBLISH_TIMEOUT_MS = 5_000
const CURRENT_TIMEOUT_MS = 2_000
const MAX_REPLACEMENTS = 3

/** One message that was read, with what its subject says about it. */
export interface Received<T> {
  envelope: Envelope<T>
  subject: string
  /** The namespace and name at the end of the subject. */
  key: ObjectKey
}

export interface ConsumeOptions<T> {
  type: MessageType<T>
  /** The subjects to read, such as `subjects.all.artifact`. */
  filter: string
  /** Called in order, for the last message of every subject first, then for each new one. Must not block: queue the work. */
  onMessage(received: Received<T>): void
}

export interface Consumption {
  /** Resolves when every message that was there at the start has been handed over. */
  caughtUp: Promise<void>
  /** Hands the present state over once more; resolves when that is done, which takes as long as NATS is away. */
  readAgain(): Promise<void>
  /**
   * Resolves when all that NATS holds at this moment has been handed over: what is known then is no older than the call.
   * @throws BusError when NATS does not say so within some seconds.
   */
  untilCurrent(): Promise<void>
  stop(): Promise<void>
}

/**
 * The one connection of a service to NATS: typed messages on last-value streams, hints, and stored bytes.
 * Connects in the background and reconnects for ever; what is published while NATS is away fails with BusError,
 * and the caller's own queue tries again.
 * @throws BusError when the options are unusable.
 */
export async function connectBus(options: BusConnectOptions): Promise<Bus> {
  const connection = await connectNats(options)
  const bus = new Bus(connection, options)
  await bus.start()
  return bus
}

export class Bus implements AsyncDisposable {
  readonly stats: BusStats = { published: {}, received: {}, deadLetters: 0 }
  /** Bytes by name. */
  readonly bytes: ByteStore
  private readonly connection: NatsConnection
  private readonly options: BusConnectOptions
  private readonly js: JetStreamClient
  private readonly manager: () => Promise<JetStreamManager>
  private readonly keeper: StreamKeeper
  /** Of the last message of each subject that was said here. */
  private readonly sequences = new Map<string, number>()
  private readonly stateLostHandlers = new Set<() => void>()
  private readonly consumers = new Set<StateConsumer>()
  private connected = true
  private closed = false

  constructor(connection: NatsConnection, options: BusConnectOptions) {
    this.connection = connection
    this.options = options
    this.js = jetstream(connection, { timeout: PUBLISH_TIMEOUT_MS })
    const { log, now, replicas = 1, beforeWrite } = options
    const manager = () => jetstreamManager(connection, { timeout: PUBLISH_TIMEOUT_MS, checkAPI: false })
    this.manager = manager
    this.keeper = new StreamKeeper({
      js: this.js,
      manager,
      replicas,
      log,
      now,
      isConnected: () => this.connected && !this.closed,
      onLost: () => this.tellLost(),
    })
    this.bytes = new ByteStore({
      bucket: (name) => this.keeper.bucket(name),
      manager,
      guard: (what, action) => this.guard(what, action),
      beforeWrite: () => beforeWrite?.(),
      stats: this.stats,
    })
  }

  /** Makes the streams, and keeps them made. Called by connectBus. @throws BusError when that fails for too long. */
  async start(): Promise<void> {
    try {
      await this.keeper.start(this.options.now() + (this.options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS))
    } catch (error) {
      await this.close()
      throw error
    }
    void this.followStatus()
  }

  /** Why the bus cannot be used right now, or undefined when it can. For readiness checks. */
  problem(): string | undefined {
    if (this.closed || this.connection.isClosed()) return 'the connection to NATS is closed'
    return this.connected ? undefined : 'NATS cannot be reached'
  }

  /**
   * Sends the present state of one subject and waits until NATS has stored it.
   * @throws BusError when NATS is away or refuses it.
   */
  async publish<T>(
    type: MessageType<T>,
    subject: string,
    data: T,
    options: { traceId: string },
  ): Promise<void> {
    const bytes = encodeEnvelope(this.envelope(data, options.traceId))
    if (isStateSubject(subject)) await this.replace(subject, bytes)
    else await this.send(subject, bytes, {})
    count(this.stats.published, type.name, bytes.length)
  }

  /** The last message of a subject, or undefined when there is none or it cannot be read. */
  async last<T>(type: MessageType<T>, subject: string): Promise<Envelope<T> | undefined> {
    const found = await this.guard(`read ${subject}`, async () => {
      const manager = await this.manager()
      return manager.direct.getMessage(streamOf(subject), { last_by_subj: subject })
    })
    if (found === null) return undefined
    try {
      return decodeEnvelope(type, found.data)
    } catch {
      return undefined
    }
  }

  /** Removes the state of a subject whose object is gone. Readers are not told: who owns the object knows. */
  async forget(subject: string): Promise<void> {
    await this.guard(`forget ${subject}`, async () => {
      const manager = await this.manager()
      this.options.beforeWrite?.()
      await manager.streams.purge(streamOf(subject), { filter: subject })
    })
    this.sequences.delete(subject)
  }

  /** Reads the present state of every subject under a filter, then every change, over reconnects and lost streams. */
  consume<T>(options: ConsumeOptions<T>): Consumption {
    const consumer = new StateConsumer(this.js, streamOf(options.filter), options.filter, (message) =>
      this.deliver(options, message),
    )
    this.consumers.add(consumer)
    consumer.restart()
    return {
      caughtUp: consumer.caughtUp,
      readAgain: () => consumer.readAgain(),
      untilCurrent: () =>
        this.guard(`read ${options.filter}`, () =>
          consumer.untilCurrent(() => this.lastSequence(options.filter), CURRENT_TIMEOUT_MS),
        ),
      stop: async () => {
        this.consumers.delete(consumer)
        await consumer.stop()
      },
    }
  }

  /** Asks the owner of an object to look at it now. Lost when nobody listens: owners look at everything when they start. */
  hint(key: KindKey, hint: ReconcileHint): void {
    if (this.closed || this.connection.isClosed()) return
    this.connection.publish(subjects.reconcile(key), encodeEnvelope(this.envelope(hint, newTraceId())))
  }

  /** Listens for hints about one kind. Returns how to stop. */
  onHint(kind: string, handler: (key: ObjectKey, hint: ReconcileHint, traceId: string) => void): () => void {
    const subscription = this.connection.subscribe(subjects.all.reconcile(kind), {
      callback: (error, message) => {
        if (error) return
        try {
          const envelope = decodeEnvelope(reconcileHint, message.data)
          handler(keyOfSubject(message.subject), envelope.data, envelope.traceId)
        } catch (cause) {
          this.park(message.subject, message.data, cause)
        }
      },
    })
    return () => subscription.unsubscribe()
  }

  /** Waits until everything sent so far has reached the server. */
  async flush(): Promise<void> {
    await this.guard('flush', () => this.connection.flush())
  }

  /** Called when streams were found missing and made anew: publish again what you know. Returns how to stop. */
  onStateLost(handler: () => void): () => void {
    this.stateLostHandlers.add(handler)
    return () => this.stateLostHandlers.delete(handler)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Stops every consumer and lets what was sent reach the server. */
  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.keeper.stop()
    await Promise.all([...this.consumers].map((consumer) => consumer.stop()))
    if (this.connected) await this.connection.drain().catch(() => this.connection.close())
    else await this.connection.close()
  }

  /**
   * A message says what it replaces. One that was on its way while another replica took over is refused by the server, so
   * that it does not hide what is newer; who may still write learns what is there and says it again.
   */
  private async replace(subject: string, bytes: Uint8Array): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const lastSubjectSequence = this.sequences.get(subject) ?? 0
        this.sequences.set(subject, await this.send(subject, bytes, { expect: { lastSubjectSequence } }))
        return
      } catch (error) {
        if (!isReplacedOtherwise(error) || attempt === MAX_REPLACEMENTS) throw error
        this.sequences.set(subject, await this.lastSequence(subject))
      }
    }
  }

  /** Returns the number that the stream gave to the message. */
  private async send(
    subject: string,
    bytes: Uint8Array,
    options: Partial<JetStreamPublishOptions>,
  ): Promise<number> {
    this.options.beforeWrite?.()
    const publish = () => this.js.publish(subject, bytes, { timeout: PUBLISH_TIMEOUT_MS, ...options })
    return (await this.guard(`publish ${subject}`, publish)).seq
  }

  /** Of the newest message under a subject or filter, by the server that leads the stream: others may not have it yet. */
  private async lastSequence(filter: string): Promise<number> {
    const found = await this.guard(`read ${filter}`, async () => {
      const { streams } = await this.manager()
      return streams.getMessage(streamOf(filter), { last_by_subj: filter })
    })
    return found?.seq ?? 0
  }

  private envelope<T>(data: T, traceId: string): Envelope<T> {
    return {
      schemaVersion: SCHEMA_VERSION,
      traceId,
      producer: this.options.producer,
      time: new Date(this.options.now()).toISOString(),
      data,
    }
  }

  private deliver<T>(options: ConsumeOptions<T>, message: JsMsg): void {
    count(this.stats.received, options.type.name, message.data.length)
    let received: Received<T>
    try {
      received = {
        envelope: decodeEnvelope(options.type, message.data),
        subject: message.subject,
        key: keyOfSubject(message.subject),
      }
    } catch (cause) {
      this.park(message.subject, message.data, cause)
      return
    }
    options.onMessage(received)
  }

  /** An unreadable message goes to the dead letters: it must neither crash a loop nor block its neighbours. */
  private park(subject: string, bytes: Uint8Array, cause: unknown): void {
    this.stats.deadLetters += 1
    const reason = cause instanceof Error ? cause.message : String(cause)
    this.options.log.warn({ subject, reason }, 'parked a message that could not be read')
    this.js.publish(subjects.deadLetter(subject), bytes).catch((error: unknown) => {
      this.options.log.warn({ subject, reason: String(error) }, 'could not park a message')
    })
  }

  private async followStatus(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect') {
        this.connected = false
        this.options.log.warn({}, 'lost the connection to NATS')
      }
      if (status.type === 'reconnect') {
        this.connected = true
        this.options.log.info({}, 'connected to NATS again')
        void this.keeper.look()
      }
    }
  }

  private tellLost(): void {
    this.sequences.clear()
    for (const consumer of this.consumers) consumer.restart({ fromTheStart: true })
    for (const handler of this.stateLostHandlers) handler()
  }

  private async guard<T>(what: string, action: () => Promise<T>): Promise<T> {
    if (!this.connected) throw new BusError('Unavailable', `${what}: NATS cannot be reached`)
    try {
      return await action()
    } catch (cause) {
      if (cause instanceof BusError) throw cause
      if (!isReplacedOtherwise(cause)) void this.keeper.look()
      throw new BusError(
        'Unavailable',
        `${what}: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      )
    }
  }
}

function isReplacedOtherwise(error: unknown): boolean {
  const cause = error instanceof BusError ? error.cause : error
  return cause instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.includes(cause.code)
}

/** A new trace id: 32 hex digits. */
export function newTraceId(): string {
  return crypto.randomUUID().replaceAll('-', '')
}
