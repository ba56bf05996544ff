import { newTraceId } from '@setpoint/bus'
import { FINALIZER, REQUESTED_AT_ANNOTATION, type SourceObject } from '@setpoint/contracts'
import { KubeUnreachableError, WatchedObjects } from '@setpoint/kube'
import { type Membership, Share } from '@setpoint/membership'
import { KeyedQueue, type Result, type Run } from '@setpoint/reconcile'
import type { Log, SourceContext, Task } from './context.ts'
import { doubt } from './known.ts'
import { logKey } from './log-key.ts'
import { reconcile } from './reconcile.ts'

/** A run that takes longer waits for a server, most likely one that stalls; it must not hold up the objects of others. */
const SLOW_MS = 5_000
/** Runs that gave their place to others, at most. */
const MAX_SLOW = 16

export interface SourcerOptions<T extends SourceObject> extends Omit<SourceContext<T>, 'objects'> {
  membership: Membership
  /** Objects that are worked on at once. */
  concurrent: number
  /** The longest that one run may take. */
  deadlineMs: number
  /** Only objects with these labels; empty: all. */
  labelSelector: string
}

/** Turns what the watch, the hints and the timers say into runs over the objects of one kind. */
export class Sourcer<T extends SourceObject> {
  readonly queue: KeyedQueue
  readonly context: SourceContext<T>
  private readonly share: Share
  private readonly stopped = new AbortController()
  private readonly failures = new Map<string, number>()
  private readonly traceIds = new Map<string, string>()
  private readonly asked = new Set<string>()
  /** Since when an object is ours: ms since the epoch. */
  private readonly takenAt = new Map<string, number>()
  private begun = false

  constructor({ concurrent, deadlineMs, labelSelector, membership, ...parts }: SourcerOptions<T>) {
    this.queue = new KeyedQueue({
      workers: concurrent,
      deadlineMs,
      slowAfterMs: SLOW_MS,
      maxSlow: MAX_SLOW,
      backoff: { minMs: 500, maxMs: 15_000 },
      handle: (key, run) => this.handle(key, run),
      onError: (key, error, attempt) => this.noteError(key, error, attempt),
    })
    const { kind } = parts.kind.gvk
    this.share = new Share({
      membership,
      queue: this.queue,
      keys: () => this.context.objects.keys(),
      onLost: (key) => this.forget(key),
      prepare: () => this.context.objects.refresh(),
      onTaken: (keys) => {
        parts.log.info({ kind, objects: keys.length }, 'took over')
        for (const key of keys) {
          this.takenAt.set(key, parts.now())
          this.queue.add(key, { priority: 'high' })
        }
      },
    })
    const { signal } = this.stopped
    const objects = new WatchedObjects<T>(
      parts.kube,
      { gvk: parts.kind.gvk, signal, labelSelector },
      {
        onUpsert: (key, next, previous) => this.onObject(key, next, previous),
        onDelete: (key) => this.onObjectGone(key),
        onRestored: () => this.queue.retryFailed(),
        onError: (error) => parts.log.warn({ kind, reason: String(error) }, 'a watch was interrupted'),
      },
    )
    this.context = { ...parts, objects }
  }

  /** Starts to work once it is known what there is. */
  async begin(): Promise<void> {
    const { objects, states } = this.context
    await objects.synced.catch(() => undefined)
    if (this.stopped.signal.aborted) return
    this.begun = true
    await states.keepOnly(new Set(objects.list().map(({ metadata }) => metadata.uid ?? '')))
    this.share.begin()
  }

  /** Somebody says that there is news. */
  checkNow(key: string, traceId: string): void {
    if (!this.begun || this.context.objects.get(key) === undefined || !this.share.has(key)) return
    this.traceIds.set(key, traceId)
    this.asked.add(key)
    this.failures.delete(key)
    this.queue.add(key, { priority: 'high' })
  }

  /** Looks at those of these objects that are ours. */
  wake(keys: readonly string[]): void {
    for (const key of keys)
      if (this.context.objects.get(key) !== undefined && this.share.has(key)) this.queue.add(key)
  }

  /** NATS has lost its state: what we know is said again. */
  publishAll(): void {
    this.context.memory.doubtPublished()
    this.context.packs.doubt()
    if (this.begun) this.wake(this.context.objects.keys())
  }

  problem(): string | undefined {
    const { kind } = this.context.kind.gvk
    if (!this.begun) return `objects of kind ${kind} are not listed yet`
    return this.context.objects.healthy ? undefined : `the watch of kind ${kind} is interrupted`
  }

  async stop(graceMs: number): Promise<void> {
    this.share.stop()
    await this.queue.stop(graceMs)
    await this.context.kind.close?.()
    this.stopped.abort(new Error('the service stops'))
  }

  private async handle(key: string, { signal }: Run): Promise<Result> {
    const { context } = this
    const object = context.objects.get(key)
    if (object === undefined || !this.share.has(key)) return undefined
    const startedAt = context.now()
    const task = this.task(key, object, { signal, startedAt })
    const { doubts } = context.memory
    try {
      const result = await reconcile(context, task)
      const ready = task.object.status?.conditions?.find(({ type }) => type === 'Ready')
      if (ready?.status === 'False') this.failures.set(key, task.attempt)
      else this.failures.delete(key)
      return result
    } finally {
      // A run that began before NATS lost its state may have stored its bytes there; it has been asked for again.
      if (context.memory.doubts !== doubts) doubt(task.known)
      const { namespace = '', name } = object.metadata
      context.metrics.reconciled({ namespace, name }, context.now() - startedAt)
    }
  }

  private task(key: string, object: T, run: Pick<Task, 'signal' | 'startedAt'>): Task<T> {
    const { uid = '', generation = 0 } = object.metadata
    const traceId = this.traceIds.get(key) ?? newTraceId()
    this.traceIds.delete(key)
    const known = this.context.memory.of(key, uid)
    const log = childLog(this.context.log, { [logKey(object)]: key, traceId })
    const isAsked = this.asked.delete(key)
    const attempt = (this.failures.get(key) ?? 0) + 1
    const takenAt = this.takenAt.get(key) ?? 0
    return { key, object, generation, known, attempt, traceId, isAsked, takenAt, log, ...run }
  }

  private noteError(key: string, error: unknown, attempt: number): void {
    this.context.metrics.failed()
    const reason = error instanceof Error ? error.message : String(error)
    const away = error instanceof KubeUnreachableError
    const message = away ? 'the API server is away; trying again' : 'a run was given up; trying again'
    this.context.log.warn({ [logKey(this.context.kind.gvk)]: key, attempt, reason }, message)
  }

  private onObject(key: string, next: T, previous: T | undefined): void {
    if (!this.begun) return
    if (next.status?.artifact?.digest !== previous?.status?.artifact?.digest) this.wakeMadeOf(next)
    if (!(previous === undefined || asksForWork(next, previous)) || !this.share.has(key)) return
    this.failures.delete(key)
    this.asked.add(key)
    this.queue.add(key, { priority: 'high' })
  }

  /** Those that hold the artifact of another are made anew when it has changed. */
  private wakeMadeOf(changed: T): void {
    const { objects, kind } = this.context
    if (kind.isMadeOf === undefined) return
    for (const key of objects.keys()) {
      const other = objects.get(key)
      if (other !== undefined && kind.isMadeOf(other, changed) && this.share.has(key))
        this.queue.add(key, { priority: 'high' })
    }
  }

  private onObjectGone(key: string): void {
    this.queue.forget(key)
    this.share.forget(key)
    this.forget(key)
  }

  /** What is held of an object that is gone, or that is another replica's now. */
  private forget(key: string): void {
    this.context.memory.forget(key)
    this.failures.delete(key)
    this.traceIds.delete(key)
    this.asked.delete(key)
    this.takenAt.delete(key)
  }
}

/** A change that a run has something to do about. Changes of the status are our own. */
function asksForWork(next: SourceObject, previous: SourceObject): boolean {
  return (
    next.metadata.generation !== previous.metadata.generation ||
    next.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp ||
    requestOf(next) !== requestOf(previous) ||
    !(next.metadata.finalizers ?? []).includes(FINALIZER)
  )
}

const requestOf = ({ metadata }: SourceObject): string =>
  metadata.annotations?.[REQUESTED_AT_ANNOTATION] ?? ''

function childLog(log: Log, bound: object): Log {
  return {
    debug: (fields, message) => log.debug({ ...bound, ...fields }, message),
    info: (fields, message) => log.info({ ...bound, ...fields }, message),
    warn: (fields, message) => log.warn({ ...bound, ...fields }, message),
  }
}
