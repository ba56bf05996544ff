import { newTraceId } from '@setpoint/bus'
import { FINALIZER, REQUESTED_AT_ANNOTATION } from '@setpoint/contracts'
import { KubeApiError, KubeUnreachableError, type WatchedObjects } from '@setpoint/kube'
import { type Membership, Share } from '@setpoint/membership'
import { KeyedQueue, type Result, type Run } from '@setpoint/reconcile'
import type { ImageContext, ImageObject, Log, Task } from './context.ts'
import { fieldManagerOf, gvkOf } from './settle.ts'

export interface ObjectLoopOptions<T extends ImageObject> {
  kind: string
  workers: number
  /** Which objects are this replica's. */
  membership: Membership
  context(): ImageContext
  watched(): WatchedObjects<T>
  reconcile(task: Task<T>): Promise<Result>
  /** An object is another replica's from now on. */
  onLost(key: string): void
  /** An object of ours is gone. */
  onGone(key: string): void
}

/** Runs over those objects of one kind that are this replica's, one at a time for each object. */
export class ObjectLoop<T extends ImageObject> {
  readonly queue: KeyedQueue
  private readonly options: ObjectLoopOptions<T>
  private readonly share: Share
  private begun = false
  private readonly failures = new Map<string, number>()
  private readonly traceIds = new Map<string, string>()

  constructor(options: ObjectLoopOptions<T>) {
    this.options = options
    this.queue = new KeyedQueue({
      workers: options.workers,
      backoff: { minMs: 500, maxMs: 15_000 },
      handle: (key, run) => this.handle(key, run),
      onError: (key, error, attempt) => this.noteError(key, error, attempt),
    })
    this.share = new Share({
      membership: options.membership,
      queue: this.queue,
      keys: () => options.watched().keys(),
      onLost: (key) => this.forget(key),
      prepare: async () => undefined,
      onTaken: (keys) => {
        options.context().log.info({ kind: options.kind, objects: keys.length }, 'took over')
        for (const key of keys) this.queue.add(key, { priority: 'high' })
      },
    })
  }

  /** It is known now what there is. */
  begin(): void {
    this.begun = true
    this.share.begin()
  }

  /** Somebody says that there is news. False when the object is not ours. */
  checkNow(key: string, traceId: string = newTraceId()): boolean {
    if (!this.begun || !this.share.has(key)) return false
    this.traceIds.set(key, traceId)
    this.queue.add(key, { priority: 'high' })
    return true
  }

  onUpsert(key: string, next: T, previous: T | undefined): void {
    if (!this.begun || (previous !== undefined && !asksForWork(next, previous)) || !this.share.has(key))
      return
    this.failures.delete(key)
    this.queue.add(key, { priority: 'high' })
  }

  onDelete(key: string): void {
    const isOurs = this.share.has(key)
    this.queue.forget(key)
    this.share.forget(key)
    this.forget(key)
    if (isOurs) this.options.onGone(key)
  }

  async stop(graceMs: number): Promise<void> {
    this.share.stop()
    await this.queue.stop(graceMs)
  }

  private forget(key: string): void {
    this.failures.delete(key)
    this.traceIds.delete(key)
    this.options.onLost(key)
  }

  private async handle(key: string, { signal }: Run): Promise<Result> {
    const context = this.options.context()
    const object = this.options.watched().get(key)
    if (object === undefined || !this.share.has(key)) return undefined
    if (object.metadata.deletionTimestamp !== undefined) return letGo(context, object)
    const startedAt = context.now()
    const task = this.task(key, object, signal)
    try {
      const result = await this.options.reconcile(task)
      const ready = task.object.status?.conditions?.find(({ type }) => type === 'Ready')
      if (ready?.status === 'False') this.failures.set(key, task.attempt)
      else this.failures.delete(key)
      return result
    } finally {
      context.metrics.reconciled(this.options.kind, key, context.now() - startedAt)
    }
  }

  private task(key: string, object: T, signal: AbortSignal): Task<T> {
    const traceId = this.traceIds.get(key) ?? newTraceId()
    this.traceIds.delete(key)
    const log = childLog(this.options.context().log, { [this.options.kind]: key, traceId })
    const { generation = 0 } = object.metadata
    return { key, object, generation, attempt: (this.failures.get(key) ?? 0) + 1, traceId, signal, log }
  }

  private noteError(key: string, error: unknown, attempt: number): void {
    const { kind } = this.options
    const { metrics, log } = this.options.context()
    metrics.failed(kind)
    const reason = error instanceof Error ? error.message : String(error)
    const away = error instanceof KubeUnreachableError
    log.warn(
      { [kind]: key, attempt, reason },
      away ? 'the API server is away; trying again' : 'a run was given up; trying again',
    )
  }
}

/** We hold nothing outside of memory for an object. A finalizer that Flux has set is ours to take away. */
export async function letGo(context: ImageContext, object: ImageObject): Promise<Result> {
  const { finalizers = [], resourceVersion } = object.metadata
  if (!finalizers.includes(FINALIZER)) return undefined
  const left = finalizers.filter((finalizer) => finalizer !== FINALIZER)
  try {
    await context.kube.mergePatch(
      gvkOf(object.kind),
      object.metadata,
      { metadata: { resourceVersion, finalizers: left } },
      { fieldManager: fieldManagerOf(object.kind) },
    )
  } catch (error) {
    if (!(error instanceof KubeApiError) || error.code !== 404) throw error
  }
  return undefined
}

/** A change that a run has something to do about. Changes of the status are our own. */
export function asksForWork(next: ImageObject, previous: ImageObject): boolean {
  return (
    next.metadata.generation !== previous.metadata.generation ||
    next.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp ||
    requestOf(next) !== requestOf(previous)
  )
}

const requestOf = ({ metadata }: ImageObject): string => metadata.annotations?.[REQUESTED_AT_ANNOTATION] ?? ''

export function childLog(log: Log, bound: object): Log {
  return {
    debug: (fields, message) => log.debug({ ...bound, ...fields }, message),
    info: (fields, message) => log.info({ ...bound, ...fields }, message),
    warn: (fields, message) => log.warn({ ...bound, ...fields }, message),
  }
}
