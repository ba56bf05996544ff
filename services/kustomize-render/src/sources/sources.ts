import { type Bus, BusError, type Consumption, type Received } from '@setpoint/bus'
import { type ArtifactMessage, artifactMessage, subjects } from '@setpoint/contracts'
import { KeyedQueue } from '@setpoint/reconcile'
import { sourceKey } from '../keys.ts'
import { type SourceTree, Trees } from './trees.ts'

export interface SourcesOptions {
  bus: Bus
  maxBytes: number
  /** A source has a new tree, or has lost it. before: the tree that was told of before this one */
  onChange(key: string, before: SourceTree | undefined): void
  onError(key: string, error: unknown): void
}

/** The present tree of every source that the bus tells of. */
export class Sources {
  /** Loads trees, one source at a time each. */
  readonly queue: KeyedQueue
  private readonly trees: Trees
  private readonly options: SourcesOptions
  private readonly announced = new Map<string, Received<ArtifactMessage>>()
  private readonly current = new Map<string, SourceTree>()
  /** The trees that `onChange` was called for last. */
  private readonly told = new Map<string, SourceTree>()
  private readonly consumption: Consumption
  /** Counts messages and readings; when the last message of a source came, in this count. */
  private count = 0
  private readonly readAt = new Map<string, number>()

  constructor(options: SourcesOptions) {
    this.options = options
    this.trees = new Trees(options.bus, options.maxBytes)
    this.queue = new KeyedQueue({
      workers: 2,
      backoff: { minMs: 250, maxMs: 15_000 },
      deadlineMs: 5 * 60_000,
      handle: (key) => this.load(key),
      onError: options.onError,
    })
    this.consumption = options.bus.consume({
      type: artifactMessage,
      filter: subjects.all.artifact,
      onMessage: (received) => {
        const key = sourceKey(received.envelope.data)
        this.announced.set(key, received)
        this.readAt.set(key, ++this.count)
        this.queue.add(key, { priority: 'high' })
      },
    })
  }

  /** Resolves when every artifact that was on the bus at the start is known (though not loaded yet). */
  get caughtUp(): Promise<void> {
    return this.consumption.caughtUp
  }

  /**
   * Reads anew what the sources have said; resolves when all of it is known. What is remembered and was not read again
   * counts no more: after a loss of NATS it may be older than what another replica has rendered.
   */
  async readAgain(): Promise<void> {
    const from = ++this.count
    await this.consumption.readAgain()
    for (const [key, at] of this.readAt) if (at < from) this.drop(key)
  }

  /** The present tree of a source; undefined while it, or a newer one, is being loaded. */
  get(key: string): SourceTree | undefined {
    const tree = this.current.get(key)
    const announced = this.announced.get(key)?.envelope.data
    return tree !== undefined &&
      announced?.revision === tree.message.revision &&
      announced.tree?.digest === tree.digest
      ? tree
      : undefined
  }

  /** The bus has told of this source, even if its tree is still being loaded. */
  isAnnounced(key: string): boolean {
    return this.announced.get(key)?.envelope.data.tree !== undefined
  }

  async stop(graceMs: number): Promise<void> {
    await this.consumption.stop()
    await this.queue.stop(graceMs)
  }

  private async load(key: string): Promise<undefined> {
    const received = this.announced.get(key)
    if (received === undefined) return
    const { data, traceId, time } = received.envelope
    if (data.tree === undefined) this.drop(key)
    else {
      const known = this.current.get(key)
      const files = known?.digest === data.tree.digest ? known.files : await this.loadTree(key, data.tree)
      if (files === undefined) return
      this.current.set(key, {
        message: data,
        digest: data.tree.digest,
        files,
        traceId,
        time: Date.parse(time),
      })
    }
    const tree = this.get(key)
    // A newer one is being loaded: it is told of then, with all that has changed.
    if (tree === undefined && data.tree !== undefined) return
    const before = this.told.get(key)
    if (tree === undefined) this.told.delete(key)
    else this.told.set(key, tree)
    this.options.onChange(key, before)
  }

  /** Undefined when the bytes are gone because a newer message is on its way. */
  private async loadTree(key: string, tree: NonNullable<ArtifactMessage['tree']>) {
    try {
      return await this.trees.load(key, tree)
    } catch (error) {
      if (
        error instanceof BusError &&
        error.code === 'NotFound' &&
        this.announced.get(key)?.envelope.data.tree !== tree
      )
        return undefined
      throw error
    }
  }

  private drop(key: string): void {
    this.current.delete(key)
    this.told.delete(key)
    this.announced.delete(key)
    this.readAt.delete(key)
    this.trees.forget(key)
  }
}
