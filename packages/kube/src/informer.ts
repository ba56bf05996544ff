import type { KubeObject } from '@setpoint/manifest'
import { Backoff } from './backoff.ts'
import type { KindRef, KubeClient } from './client-types.ts'
import { Deadline } from './deadline.ts'
import { KubeApiError, NoMatchError } from './errors.ts'
import { listObjects } from './list.ts'
import { ObjectStore } from './object-store.ts'
import { isUnknownPath } from './status.ts'
import { watchObjects } from './watch.ts'

export interface InformerOptions {
  gvk: KindRef
  /** Without it: all namespaces. */
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
  /** Watch metadata alone; apiVersion and kind are still those of the object. */
  metadataOnly?: boolean | undefined
  /** Stops the informer. */
  signal: AbortSignal
  /** What to keep of an object, for example without managedFields. Without it all is kept. */
  transform?(object: KubeObject): KubeObject
  /** An object appeared (no previous) or changed. */
  onUpsert(object: KubeObject, previous?: KubeObject): void
  /** An object is gone; its last known state. Also called for what vanished while the watch was away. */
  onDelete(object: KubeObject): void
  /** A full list has been delivered; called again after each later full list. */
  onSync?(): void
  /** The watch is established again after it had failed: the server may have been away. */
  onRestored?(): void
  /** A list or watch failed, or a callback threw. The informer goes on by itself, after a back-off. */
  onError?(error: unknown): void
}

export interface Informer {
  /** Settles after the first full list; rejects when the informer is stopped before. */
  readonly synced: Promise<void>
  /** The watch is established now. */
  readonly healthy: boolean
  get(namespace: string, name: string): KubeObject | undefined
  list(): KubeObject[]
  stop(): void
}

/** A watch that lived this long was well; its end says nothing about the next one. */
const settledMs = 10_000
/** Short, for a server that was away has to be noticed within seconds when it is back. */
const backoffBounds = { initialMs: 200, maxMs: 5000 }

/**
 * Keeps a copy of the objects of one kind: a full list, then a watch. A watch that ends or breaks goes on from the
 * last resource version seen; when the server no longer knows that one, a new full list tells what vanished.
 */
export function startInformer(client: KubeClient, options: InformerOptions): Informer {
  const informer = new ListWatch(client, options)
  void informer.run()
  return informer
}

class ListWatch implements Informer {
  readonly synced: Promise<void>
  healthy = false
  readonly #client: KubeClient
  readonly #options: InformerOptions
  readonly #store: ObjectStore
  readonly #stopped = new AbortController()
  readonly #backoff = new Backoff(backoffBounds)
  readonly #settled = Promise.withResolvers<void>()
  #resourceVersion: string | undefined
  #broken = false

  constructor(client: KubeClient, options: InformerOptions) {
    this.#client = client
    this.#options = options
    this.synced = this.#settled.promise
    // Whoever awaits it sees the rejection; nobody has to.
    this.synced.catch(() => undefined)
    this.#store = new ObjectStore({
      onUpsert: (object, previous) => this.#guard(() => options.onUpsert(object, previous)),
      onDelete: (object) => this.#guard(() => options.onDelete(object)),
    })
  }

  get(namespace: string, name: string): KubeObject | undefined {
    return this.#store.get(namespace, name)
  }

  list(): KubeObject[] {
    return this.#store.list()
  }

  stop(): void {
    this.#stopped.abort(new Error('the informer was stopped'))
  }

  /** Until stopped. Never rejects. */
  async run(): Promise<void> {
    const forward = () => this.stop()
    this.#options.signal.addEventListener('abort', forward, { once: true })
    if (this.#options.signal.aborted) this.stop()
    while (!this.#stopped.signal.aborted) await this.#round()
    this.#options.signal.removeEventListener('abort', forward)
    this.healthy = false
    this.#settled.reject(this.#stopped.signal.reason)
  }

  async #round(): Promise<void> {
    const begun = performance.now()
    let failed = false
    try {
      if (this.#resourceVersion === undefined) await this.#list()
      await this.#watch(this.#resourceVersion ?? '')
    } catch (error) {
      failed = true
      this.healthy = false
      this.#broken = true
      if (!this.#stopped.signal.aborted) this.#noteError(error)
    }
    const settled = performance.now() - begun > settledMs
    if (settled) this.#backoff.reset()
    // A server that ends each watch at once must not be asked in a tight loop.
    if (failed || !settled) await pause(this.#backoff.next(), this.#stopped.signal)
  }

  async #list(): Promise<void> {
    const { gvk, namespace, labelSelector, fieldSelector, metadataOnly } = this.#options
    const info = await this.#client.resource(gvk)
    const signal = this.#stopped.signal
    const selection = { namespace, labelSelector, fieldSelector, metadataOnly, signal }
    const { items, resourceVersion } = await listObjects(this.#client, info, selection)
    this.#store.replace(items.map((item) => this.#transform(item)))
    this.#resourceVersion = resourceVersion
    this.#settled.resolve()
    this.#guard(() => this.#options.onSync?.())
  }

  async #watch(resourceVersion: string): Promise<void> {
    const { gvk, namespace, labelSelector, fieldSelector, metadataOnly } = this.#options
    await watchObjects(this.#client, await this.#client.resource(gvk), {
      namespace,
      labelSelector,
      fieldSelector,
      metadataOnly,
      resourceVersion,
      signal: this.#stopped.signal,
      onOpen: () => {
        this.healthy = true
        if (this.#broken) this.#guard(() => this.#options.onRestored?.())
        this.#broken = false
      },
      onEvent: (type, object) => {
        if (type === 'DELETED') this.#store.delete(this.#transform(object))
        else if (type !== 'BOOKMARK') this.#store.upsert(this.#transform(object))
        this.#resourceVersion = object.metadata.resourceVersion ?? this.#resourceVersion
      },
    })
  }

  #noteError(error: unknown): void {
    const expired = error instanceof KubeApiError && error.code === 410
    const notServed = error instanceof NoMatchError || isUnknownPath(error)
    if (expired || notServed) this.#resourceVersion = undefined
    if (notServed) this.#client.invalidateDiscovery()
    // That a long absence ends in a new list is normal, not an error.
    if (!expired) this.#guard(() => this.#options.onError?.(error))
  }

  #transform(object: KubeObject): KubeObject {
    return this.#options.transform?.(object) ?? object
  }

  /** A callback that throws must not end the watch. */
  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      try {
        this.#options.onError?.(error)
      } catch {
        // Nobody is left to tell.
      }
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  using deadline = new Deadline({ timeoutMs: ms + 1000, signal, message: 'pause' })
  await deadline.pause(ms).catch(() => undefined)
}
