import { JetStreamApiError, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream'
import { type ObjectStore, Objm } from '@nats-io/obj'
import type { BusLog } from './connection.ts'
import { BusError } from './errors.ts'
import { BUCKETS, type Bucket, STREAM_NOT_FOUND, streamConfigs } from './streams.ts'

/** How often the streams are looked at, so that a store that was wiped under us is noticed. */
const ENSURE_INTERVAL_MS = 10_000
const RETRY_MS = 500

export interface StreamKeeperOptions {
  js: JetStreamClient
  manager(): Promise<JetStreamManager>
  /** Copies of each stream. */
  replicas: number
  log: BusLog
  /** Milliseconds since the epoch. */
  now(): number
  /** Whether NATS can be asked at all. */
  isConnected(): boolean
  /** Streams were found missing, or to be others, and are there now: all that they held is lost. */
  onLost(): void
}

/** Makes the streams and buckets, keeps them made, and notices when NATS has lost them. */
export class StreamKeeper {
  private readonly options: StreamKeeperOptions
  private readonly buckets = new Map<Bucket, ObjectStore>()
  /** When each stream was made: another time tells of another stream. */
  private readonly incarnations = new Map<string, string>()
  private ensuring: Promise<void> | undefined
  private timer: NodeJS.Timeout | undefined
  /** Some stream was found to be another one, and not everybody was told yet. */
  private lost = false

  constructor(options: StreamKeeperOptions) {
    this.options = options
  }

  /**
   * Makes what is not there. A cluster of servers that has just started needs a while to choose a leader.
   * @param deadline milliseconds since the epoch
   * @throws BusError when that fails for too long
   */
  async start(deadline: number): Promise<void> {
    for (;;) {
      try {
        await this.ensure()
        break
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause)
        if (this.options.now() > deadline)
          throw new BusError('Unavailable', `NATS makes no streams: ${reason}`, { cause })
        this.options.log.warn({ reason: String(cause) }, 'NATS makes no streams yet; trying again')
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
    this.timer = setInterval(() => void this.look(), ENSURE_INTERVAL_MS)
    this.timer.unref()
  }

  /** Looks whether everything is still there. Never fails. */
  async look(): Promise<void> {
    if (!this.options.isConnected()) return
    try {
      await this.ensure()
    } catch (error) {
      this.options.log.warn({ reason: String(error) }, 'could not look at the NATS streams')
    }
  }

  /** @throws BusError while it has not been made */
  bucket(name: Bucket): ObjectStore {
    const store = this.buckets.get(name)
    if (store === undefined) throw new BusError('Unavailable', `bucket ${name} is not there yet`)
    return store
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private ensure(): Promise<void> {
    this.ensuring ??= this.make().finally(() => {
      this.ensuring = undefined
    })
    return this.ensuring
  }

  private async make(): Promise<void> {
    const { js, replicas, log, onLost } = this.options
    const manager = await this.options.manager()
    for (const config of streamConfigs(replicas))
      this.note(config.name, await streamIncarnation(manager, config))
    for (const name of BUCKETS) {
      const store = await new Objm(js).create(name, { replicas })
      const status = await store.status()
      this.note(name, String(status.streamInfo.created))
      this.buckets.set(name, store)
    }
    if (!this.lost) return
    this.lost = false
    log.warn({}, 'NATS had lost its state; sending it again')
    onLost()
  }

  /** A stream that we knew may be another one now. That counts even if the connection breaks before all are looked at. */
  private note(name: string, created: string): void {
    const before = this.incarnations.get(name)
    this.incarnations.set(name, created)
    if (before !== undefined && before !== created) this.lost = true
  }
}

async function streamIncarnation(
  manager: JetStreamManager,
  config: ReturnType<typeof streamConfigs>[number],
): Promise<string> {
  try {
    return String((await manager.streams.info(config.name)).created)
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NOT_FOUND) throw error
    return String((await manager.streams.add(config)).created)
  }
}
