import { newTraceId } from '@setpoint/bus'
import { type ImageUpdateAutomation, subjects } from '@setpoint/contracts'
import { MarkerMemory } from '@setpoint/image-update'
import { keyOf } from '@setpoint/kube'
import { type Membership, Share } from '@setpoint/membership'
import { KeyedQueue, type Result, type Run } from '@setpoint/reconcile'
import type { ImageContext, Task } from '../context.ts'
import { childLog, letGo } from '../object-loop.ts'
import { Contest } from './contest.ts'
import { runWriter, type WriterMemory } from './run-writer.ts'
import { writerOf } from './writer-of.ts'

/** Writes to repositories: one run at a time for each branch, whatever the number of automations and replicas. */
export class Updater {
  readonly queue: KeyedQueue
  private readonly context: () => ImageContext
  private readonly share: Share
  private begun = false
  private readonly gatherMs: number
  private readonly failures = new Map<string, number>()
  private readonly memory: WriterMemory

  constructor(options: {
    context(): ImageContext
    membership: Membership
    workers: number
    gatherMs: number
  }) {
    this.context = options.context
    this.gatherMs = options.gatherMs
    this.memory = {
      markers: new MarkerMemory(),
      contest: new Contest(() => this.context().metrics.contested()),
    }
    this.queue = new KeyedQueue({
      workers: options.workers,
      backoff: { minMs: 500, maxMs: 15_000 },
      handle: (writer, run) => this.handle(writer, run),
      onError: (_writer, error, attempt) => {
        const reason = error instanceof Error ? error.message : String(error)
        this.context().log.warn({ attempt, reason }, 'an update was given up; trying again')
      },
    })
    this.share = new Share({
      membership: options.membership,
      queue: this.queue,
      keys: () => this.writers(),
      onLost: (writer) => this.leave(writer),
      prepare: async () => undefined,
      onTaken: (writers) => {
        this.context().log.info({ writers: writers.length }, 'took over')
        for (const writer of writers) this.queue.add(writer, { priority: 'high' })
      },
    })
  }

  /** It is known now what there is. */
  begin(): void {
    this.begun = true
    this.share.begin()
  }

  async stop(graceMs: number): Promise<void> {
    this.share.stop()
    await this.queue.stop(graceMs)
  }

  /** Something about an automation is new. */
  checkNow(automation: ImageUpdateAutomation): void {
    this.failures.delete(keyOf(automation))
    const writer = writerOf(this.context(), automation)
    this.memory.contest.forget(writer)
    this.add(writer, { priority: 'high' })
  }

  /** A policy chose another image: what else is new within a moment shall be the same commit. */
  policyChanged(namespace: string): void {
    for (const automation of this.context().automations.list())
      if (automation.metadata.namespace === namespace)
        this.add(writerOf(this.context(), automation), { priority: 'high', delayMs: this.gatherMs })
  }

  private add(writer: string, wish: { priority?: 'high'; delayMs?: number } = {}): void {
    if (this.begun && this.share.has(writer)) this.queue.add(writer, wish)
  }

  /** Another replica tells of its commits from now on. */
  private leave(writer: string): void {
    const context = this.context()
    for (const automation of context.automations.list()) {
      const { namespace = '', name } = automation.metadata
      if (writerOf(context, automation) === writer)
        context.announcer.leave(subjects.image('commit', { namespace, name }))
    }
  }

  private writers(): Set<string> {
    const context = this.context()
    return new Set(context.automations.list().map((automation) => writerOf(context, automation)))
  }

  private async handle(writer: string, { signal }: Run): Promise<Result> {
    if (!this.share.has(writer)) return undefined
    const context = this.context()
    const traceId = newTraceId()
    const tasks: Task<ImageUpdateAutomation>[] = []
    for (const object of context.automations.list()) {
      if (writerOf(context, object) !== writer) continue
      if (object.metadata.deletionTimestamp !== undefined) await letGo(context, object)
      else tasks.push(this.task(object, signal, traceId))
    }
    const startedAt = context.now()
    const result = await runWriter(context, tasks, this.memory)
    for (const { key, object, attempt } of tasks) {
      const ready = object.status?.conditions?.find(({ type }) => type === 'Ready')
      if (ready?.status === 'False') this.failures.set(key, attempt)
      else this.failures.delete(key)
      context.metrics.reconciled('ImageUpdateAutomation', key, context.now() - startedAt)
    }
    return result
  }

  private task(
    object: ImageUpdateAutomation,
    signal: AbortSignal,
    traceId: string,
  ): Task<ImageUpdateAutomation> {
    const key = keyOf(object)
    const log = childLog(this.context().log, { imageUpdateAutomation: key, traceId })
    const { generation = 0 } = object.metadata
    return { key, object, generation, attempt: (this.failures.get(key) ?? 0) + 1, traceId, signal, log }
  }
}
