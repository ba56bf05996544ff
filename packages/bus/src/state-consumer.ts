import { DeliverPolicy, type JetStreamClient, type JsMsg } from '@nats-io/jetstream'

/** How often it is looked whether a message that the server has sent is here. */
const ARRIVAL_POLL_MS = 5

/** Reads one stream in order, and starts again where it was when the connection or the consumer is lost. */
export class StateConsumer {
  readonly caughtUp: Promise<void>
  private caught = Promise.withResolvers<void>()
  private readonly js: JetStreamClient
  private readonly stream: string
  private readonly filter: string
  private readonly onMessage: (message: JsMsg) => void
  private lastSequence = 0
  private run: AbortController | undefined
  private stopped = false

  constructor(js: JetStreamClient, stream: string, filter: string, onMessage: (message: JsMsg) => void) {
    this.js = js
    this.stream = stream
    this.filter = filter
    this.onMessage = onMessage
    this.caughtUp = this.caught.promise
  }

  restart(options: { fromTheStart?: boolean } = {}): void {
    if (this.stopped) return
    if (options.fromTheStart) this.lastSequence = 0
    this.run?.abort()
    this.run = new AbortController()
    void this.loop(this.run.signal)
  }

  /** Hands the present state over once more. Settles when all of it was handed over, which is never while NATS is away. */
  readAgain(): Promise<void> {
    const before = this.caught
    this.caught = Promise.withResolvers<void>()
    void this.caught.promise.then(before.resolve)
    this.restart({ fromTheStart: true })
    return this.caught.promise
  }

  /**
   * Resolves when everything that the stream holds has been handed over.
   * @param newest asks the stream for the number of its newest message
   * @throws when the server does not say so in time, or what it holds does not arrive
   */
  async untilCurrent(newest: () => Promise<number>, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (performance.now() < deadline) {
      if ((await newest()) <= this.lastSequence) return
      await pause(ARRIVAL_POLL_MS)
    }
    throw new Error(`what ${this.stream} holds did not arrive in ${timeoutMs} ms`)
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.run?.abort()
  }

  private async loop(signal: AbortSignal): Promise<void> {
    let failures = 0
    while (!signal.aborted) {
      try {
        await this.read(signal)
        failures = 0
      } catch {
        failures += 1
      }
      if (!signal.aborted) await pause(Math.min(100 * 2 ** failures, 3_000), signal)
    }
  }

  private async read(signal: AbortSignal): Promise<void> {
    const start =
      this.lastSequence === 0
        ? { deliver_policy: DeliverPolicy.LastPerSubject }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: this.lastSequence + 1 }
    const consumer = await this.js.consumers.get(this.stream, { filter_subjects: [this.filter], ...start })
    const { num_pending: pending } = await consumer.info()
    // Another reading has taken this one's place, and is not caught up because this one was.
    if (signal.aborted) return
    if (pending === 0) this.caught.resolve()
    const messages = await consumer.consume({ max_messages: 500, idle_heartbeat: 5_000 })
    const abort = () => messages.stop()
    signal.addEventListener('abort', abort, { once: true })
    try {
      for await (const message of messages) {
        if (signal.aborted) return
        this.lastSequence = message.seq
        this.onMessage(message)
        if (message.info.pending === 0) this.caught.resolve()
      }
    } finally {
      signal.removeEventListener('abort', abort)
      messages.stop()
    }
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  signal?.addEventListener('abort', () => resolve(), { once: true })
  return promise.finally(() => clearTimeout(timer))
}
