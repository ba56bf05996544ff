import { newTraceId } from '@setpoint/bus'
import { FINALIZER, type GitRepository, REQUESTED_AT_ANNOTATION } from '@setpoint/contracts'
import { KubeUnreachableError } from '@setpoint/kube'
import { type Membership, Share } from '@setpoint/membership'
import { KeyedQueue, type Result, type Run } from '@setpoint/reconcile'
import type { Log, SourceContext, Task } from './context.ts'
import { includes } from './include.ts'
import { Listings } from './listings.ts'
import { reconcile } from './reconcile.ts'
import { Repositories } from './repositories.ts'

export interface SourcerOptions extends Omit<SourceContext, 'repositories' | 'listings'> {
  /** Requests for references that one Git host gets in a second, at most. */
  hostRequestsPerSecond: number
  membership: Membership
  /** Repositories that are worked on at once. */
  concurrent: number
  /** Only GitRepositories with these labels; empty: all. */
  labelSelector: string
}

/** Turns what the watch, the hints and the timers say into runs over GitRepositories. */
export class Sourcer {
  readonly queue: KeyedQueue
  readonly context: SourceContext
  private readonly share: Share
  private readonly stopped = new AbortController()
  private readonly failures = new Map<string, number>()
  private readonly traceIds = new Map<string, string>()
  private readonly asked = new Set<string>()
  private begun = false

  constructor({ concurrent, labelSelector, membership, hostRequestsPerSecond, ...parts }: SourcerOptions) {
    this.queue = new KeyedQueue({
      workers: concurrent,
      backoff: { minMs: 500, maxMs: 15_000 },
      handle: (key, run) => this.handle(key, run),
      onError: (key, error, attempt) => this.noteError(key, error, attempt),
    })
    this.share = new Share({
      membership,
      queue: this.queue,
      keys: () => (this.begun ? this.context.repositories.keys() : []),
      onLost: (key) => this.forget(key),
      prepare: async () => undefined,
      onTaken: (keys) => {
        parts.log.info({ gitRepositories: keys.length }, 'took over')
        for (const key of keys) this.queue.add(key, { priority: 'high' })
      },
    })
    const { signal } = this.stopped
    const repositories = new Repositories(
      parts.kube,
      { signal, labelSelector },
      {
        onUpsert: (key, next, previous) => this.onRepository(key, next, previous),
        onDelete: (key) => this.onRepositoryGone(key),
        onError: (error) =>
          parts.log.warn({ reason: String(error) }, 'the watch of GitRepositories was interrupted'),
      },
    )
    const listings = new Listings({
      now: parts.now,
      perHostPerSecond: hostRequestsPerSecond,
      onListed: () => parts.metrics.listed(),
      wake: (keys) => {
        for (const key of keys)
          if (repositories.get(key) !== undefined && this.share.has(key)) this.queue.add(key)
      },
    })
    this.context = { ...parts, repositories, listings }
  }

  /** Starts to work once it is known what there is. */
  async begin(): Promise<void> {
    const { repositories, states } = this.context
    await repositories.synced.catch(() => undefined)
    if (this.stopped.signal.aborted) return
    this.begun = true
    const keys = repositories.keys()
    const uids = keys.map((key) => repositories.get(key)?.metadata.uid ?? '')
    await states.keepOnly(new Set(uids))
    for (const key of keys) if (this.share.has(key)) this.queue.add(key)
  }

  /** Somebody says that there is news. */
  checkNow(key: string, traceId: string): void {
    if (!this.begun || this.context.repositories.get(key) === undefined || !this.share.has(key)) return
    this.traceIds.set(key, traceId)
    this.asked.add(key)
    this.failures.delete(key)
    this.queue.add(key, { priority: 'high' })
  }

  /** NATS has lost its state: what we know is said again. */
  publishAll(): void {
    this.context.memory.doubtPublished()
    if (!this.begun) return
    for (const key of this.context.repositories.keys()) if (this.share.has(key)) this.queue.add(key)
  }

  problem(): string | undefined {
    if (!this.begun) return 'GitRepositories are not listed yet'
    return this.context.repositories.healthy ? undefined : 'the watch of GitRepositories is interrupted'
  }

  async stop(graceMs: number): Promise<void> {
    this.share.stop()
    await this.queue.stop(graceMs)
    this.stopped.abort(new Error('the service stops'))
  }

  private async handle(key: string, { signal }: Run): Promise<Result> {
    const { context } = this
    const repository = context.repositories.get(key)
    if (repository === undefined || !this.share.has(key)) return undefined
    const startedAt = context.now()
    const task = this.task(key, repository, { signal, startedAt })
    try {
      const result = await reconcile(context, task)
      const ready = task.repository.status?.conditions?.find(({ type }) => type === 'Ready')
      if (ready?.status === 'False') this.failures.set(key, task.attempt)
      else this.failures.delete(key)
      return result
    } finally {
      const { namespace = '', name } = repository.metadata
      context.metrics.reconciled({ namespace, name }, context.now() - startedAt)
    }
  }

  private task(key: string, repository: GitRepository, run: Pick<Task, 'signal' | 'startedAt'>): Task {
    const { uid = '', generation = 0 } = repository.metadata
    const traceId = this.traceIds.get(key) ?? newTraceId()
    this.traceIds.delete(key)
    const known = this.context.memory.of(key, uid)
    const log = childLog(this.context.log, { gitRepository: key, traceId })
    const isAsked = this.asked.delete(key)
    const attempt = (this.failures.get(key) ?? 0) + 1
    return { key, repository, generation, known, attempt, traceId, isAsked, log, ...run }
  }

  private noteError(key: string, error: unknown, attempt: number): void {
    this.context.metrics.failed()
    const reason = error instanceof Error ? error.message : String(error)
    const away = error instanceof KubeUnreachableError
    const message = away ? 'the API server is away; trying again' : 'a run was given up; trying again'
    this.context.log.warn({ gitRepository: key, attempt, reason }, message)
  }

  private onRepository(key: string, next: GitRepository, previous: GitRepository | undefined): void {
    if (!this.begun) return
    if (next.status?.artifact?.digest !== previous?.status?.artifact?.digest) this.wakeIncluding(next)
    if (!(previous === undefined || asksForWork(next, previous)) || !this.share.has(key)) return
    this.failures.delete(key)
    this.asked.add(key)
    this.queue.add(key, { priority: 'high' })
  }

  /** Those that include a repository are made anew when it has changed. */
  private wakeIncluding(changed: GitRepository): void {
    const { repositories } = this.context
    for (const key of repositories.keys()) {
      const other = repositories.get(key)
      if (other !== undefined && includes(other, changed) && this.share.has(key))
        this.queue.add(key, { priority: 'high' })
    }
  }

  private onRepositoryGone(key: string): void {
    this.queue.forget(key)
    this.share.forget(key)
    this.forget(key)
  }

  /** What is held of a GitRepository that is gone, or that is another replica's now. */
  private forget(key: string): void {
    this.context.memory.forget(key)
    this.failures.delete(key)
    this.traceIds.delete(key)
    this.asked.delete(key)
  }
}

/** A change that a run has something to do about. Changes of the status are our own. */
function asksForWork(next: GitRepository, previous: GitRepository): boolean {
  return (
    next.metadata.generation !== previous.metadata.generation ||
    next.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp ||
    requestOf(next) !== requestOf(previous) ||
    !(next.metadata.finalizers ?? []).includes(FINALIZER)
  )
}

const requestOf = ({ metadata }: GitRepository): string =>
  metadata.annotations?.[REQUESTED_AT_ANNOTATION] ?? ''

function childLog(log: Log, bound: object): Log {
  return {
    debug: (fields, message) => log.debug({ ...bound, ...fields }, message),
    info: (fields, message) => log.info({ ...bound, ...fields }, message),
    warn: (fields, message) => log.warn({ ...bound, ...fields }, message),
  }
}
