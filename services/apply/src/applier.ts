import type { Bus } from '@setpoint/bus'
import { CloudLogins, ClusterLogins } from '@setpoint/cloud'
import { isConditionTrue } from '@setpoint/conditions'
import { KUSTOMIZATION, type Kustomization, wishesOf } from '@setpoint/contracts'
import { type KubeClient, KubeUnreachableError, WatchedObjects } from '@setpoint/kube'
import { type Membership, Share } from '@setpoint/membership'
import { CatchUp, KeyedQueue, type Priority, type Result, type Run } from '@setpoint/reconcile'
import type { EventRecorder, Tracing } from '@setpoint/service'
import { Clusters } from './clusters/clusters.ts'
import type { Watches } from './clusters/remote-cluster.ts'
import type { ApplyContext, Log, Task } from './context.ts'
import { Dependants } from './dependants.ts'
import { driftListener, healDelayMs } from './drift/drift.ts'
import { DriftWatches } from './drift/drift-watches.ts'
import { Superseded } from './failure.ts'
import { HealthWatches } from './health/health-watches.ts'
import { type Known, Memory } from './known.ts'
import type { ApplyMetrics } from './metrics.ts'
import { asksForWork, changesCourse, standsOtherwise } from './news.ts'
import { Outcomes } from './outcomes.ts'
import { CheckBudget } from './plan/sample.ts'
import type { Policy } from './policy.ts'
import { Contests } from './prune/contests.ts'
import { reconcile } from './reconcile.ts'
import { type Rendering, Renderings } from './renderings.ts'
import { SealedSets } from './sealed-sets.ts'
import { timeoutMs } from './spec.ts'

/** A run that takes longer waits for something; it must not hold up others. */
const SLOW_MS = 1_000
const MAX_DEADLINE_MS = 15 * 60_000

/** NATS may be away at the start; what it has to say comes later then. */
const CATCH_UP_MS = 10_000

export interface ApplierOptions {
  kube: KubeClient
  bus: Bus
  events: EventRecorder
  tracing: Tracing
  log: Log
  metrics: ApplyMetrics
  policy: Policy
  /** Asked before every write to another cluster; the own one asks by itself. */
  beforeWrite: (() => void) | undefined
  membership: Membership
  now(): number
  sealingKey: Uint8Array
  /** Kustomizations that are worked on at once. */
  concurrent: number
  /** Objects of one stage that are asked about at once. */
  parallel: number
  /** Requests that checks at the interval may send. */
  checkRequestsPerSecond: number
  /** When a run is given up, unless the Kustomization's own timeout is longer. */
  runDeadlineMs: number
  /** Only Kustomizations with these labels; empty: all. */
  labelSelector: string
}

/** Turns what the watches and the bus say into runs over Kustomizations. */
export class Applier {
  readonly queue: KeyedQueue
  private readonly share: Share
  private readonly options: ApplierOptions
  /** Those that only have to be told a revision, and that nobody waits for. */
  private readonly catchUp = new CatchUp({ onDue: (key) => this.add(key, 'low') })
  private readonly context: ApplyContext
  private readonly stopped = new AbortController()
  private readonly dependants = new Dependants()
  /** The runs under way, to be told when something newer is there. */
  private readonly running = new Map<string, AbortController>()
  private begun = false

  constructor(options: ApplierOptions) {
    this.options = options
    const { kube, bus, events, tracing, log, metrics, policy, now, parallel } = options
    const { signal } = this.stopped
    const memory = new Memory()
    this.queue = new KeyedQueue({
      workers: options.concurrent,
      backoff: { minMs: 500, maxMs: 15_000 },
      deadlineMs: (key) => this.deadlineMs(key),
      slowAfterMs: SLOW_MS,
      handle: (key, run) => this.handle(key, run),
      onError: (key, error, attempt) => this.noteError(key, error, attempt),
    })
    this.share = new Share({
      membership: options.membership,
      queue: this.queue,
      keys: () => this.context.kustomizations.keys(),
      onLost: (key) => this.forget(key),
      // What another replica has applied must be known before anything of it is touched.
      prepare: async (keys) => {
        await Promise.all([this.context.kustomizations.refresh(), this.context.renderings.readAgain(keys)])
      },
      onTaken: (keys) => this.takeOver(keys),
    })
    this.context = {
      home: kube,
      kube,
      bus,
      events,
      tracing,
      log,
      metrics,
      policy,
      now,
      parallel,
      memory,
      outcomes: new Outcomes(bus),
      contests: new Contests(),
      checkBudget: new CheckBudget(options.checkRequestsPerSecond),
      sets: new SealedSets(bus, options.sealingKey),
      kustomizations: new WatchedObjects<Kustomization>(
        kube,
        { gvk: KUSTOMIZATION, signal, labelSelector: options.labelSelector },
        {
          onUpsert: (key, next, previous) => this.onKustomization(key, next, previous),
          onDelete: (key) => this.onKustomizationGone(key),
          onRestored: () => this.queue.retryFailed(),
          onError: (error) =>
            log.warn({ reason: String(error) }, 'the watch of Kustomizations was interrupted'),
        },
      ),
      renderings: new Renderings(bus, (key, next, previous) => this.onRendering(key, next, previous)),
      ...this.watch(kube, memory),
      clusters: new Clusters({
        home: kube,
        policy,
        logins: new ClusterLogins(
          new CloudLogins({ kube, now, objectLevel: policy.objectLevelIdentity }),
          now,
        ),
        beforeWrite: options.beforeWrite,
        signal,
        watch: (client, cluster) => this.watch(client, memory, cluster),
        wake: (key) => this.add(key, 'high'),
        onError: (error) => log.warn({ reason: String(error) }, 'the watch of kubeconfigs was interrupted'),
      }),
    }
  }

  get outcomeQueue(): KeyedQueue {
    return this.context.outcomes.queue
  }

  /** Starts to work once it is known what is there; what is settled already is looked at last. */
  async begin(): Promise<void> {
    const { kustomizations, renderings } = this.context
    await kustomizations.synced.catch(() => undefined)
    await atMost(CATCH_UP_MS, renderings.caughtUp)
    if (this.stopped.signal.aborted) return
    this.begun = true
    this.share.begin()
  }

  /** Somebody asks for a full check of one Kustomization. */
  checkNow(key: string): void {
    const known = this.context.memory.find(key)
    if (known !== undefined) known.checkWanted = true
    if (this.context.kustomizations.get(key) !== undefined) this.add(key, 'high')
  }

  /** NATS has lost its state: what we know is said again. */
  publishAll(): void {
    this.context.outcomes.publishAll()
  }

  problem(): string | undefined {
    if (!this.begun) return 'Kustomizations are not listed yet'
    return this.context.kustomizations.healthy ? undefined : 'the watch of Kustomizations is interrupted'
  }

  async stop(graceMs: number): Promise<void> {
    this.share.stop()
    this.catchUp.stop()
    await this.context.renderings.stop()
    await this.queue.stop(graceMs)
    this.stopped.abort(new Error('the service stops'))
    await this.context.outcomes.queue.stop(1_000)
  }

  private async handle(key: string, { signal }: Run): Promise<Result> {
    const { context } = this
    const kustomization = context.kustomizations.get(key)
    if (kustomization === undefined || !this.share.has(key)) return undefined
    this.catchUp.forget(key)
    const { uid = '', generation = 0 } = kustomization.metadata
    const rendering = context.renderings.get(key)
    const log = childLog(context.log, { kustomization: key, traceId: rendering?.traceId })
    const startedAt = context.now()
    const known = context.memory.of(key, uid)
    const superseded = new AbortController()
    const task: Task = {
      key,
      kustomization,
      generation,
      known,
      rendering,
      chosen: undefined,
      wishes: wishesOf(kustomization).wishes,
      enforces: true,
      settledBefore: false,
      refused: [],
      wasSluggish: known.sluggish,
      overtaken: false,
      underWay: new Set(),
      superseded: superseded.signal,
      inventory: undefined,
      notices: undefined,
      startedAt,
      signal,
      log,
    }
    known.sluggish = false
    this.running.set(key, superseded)
    try {
      return await reconcile(context, task)
    } finally {
      this.running.delete(key)
      context.memory.expectNothing(key, known)
      if (task.overtaken) this.heal(key, known)
      context.metrics.reconciled(objectKey(kustomization), context.now() - startedAt)
    }
  }

  /** Applying and what it waits for within one run; health is not among it. */
  private deadlineMs(key: string): number {
    const kustomization = this.context.kustomizations.get(key)
    const wanted = kustomization === undefined ? 0 : timeoutMs(kustomization)
    return Math.min(Math.max(wanted, this.options.runDeadlineMs), MAX_DEADLINE_MS)
  }

  private supersede(key: string): void {
    this.running.get(key)?.abort(new Superseded('something newer is there'))
  }

  private noteError(key: string, error: unknown, attempt: number): void {
    this.context.metrics.failed()
    const reason = error instanceof Error ? error.message : String(error)
    const away = error instanceof KubeUnreachableError
    const message = away ? 'the API server is away; trying again' : 'a run was given up; trying again'
    this.context.log.warn({ kustomization: key, attempt, reason }, message)
  }

  private onKustomization(key: string, next: Kustomization, previous: Kustomization | undefined): void {
    this.dependants.note(key, next)
    this.noteContests(key, next)
    if (next.metadata.deletionTimestamp !== previous?.metadata.deletionTimestamp) this.wakeTakers(key)
    if (previous === undefined || asksForWork(next, previous)) this.add(key, 'high')
    if (previous !== undefined && changesCourse(next, previous)) this.supersede(key)
    if (previous === undefined || standsOtherwise(next, previous)) this.wakeDependants(key)
    else for (const dependant of this.dependants.askingAbout(key)) this.add(dependant, 'normal')
  }

  private onKustomizationGone(key: string): void {
    this.dependants.forget(key)
    this.queue.forget(key)
    this.share.forget(key)
    this.context.renderings.forget(key)
    this.forget(key)
    this.noteContests(key, undefined)
    this.wakeTakers(key)
    this.wakeDependants(key)
  }

  /** What is held of a Kustomization that is gone, or that is another replica's now. */
  private forget(key: string): void {
    const { memory, driftWatches, healthWatches, outcomes, clusters } = this.context
    this.catchUp.forget(key)
    memory.forget(key)
    driftWatches.release(key)
    healthWatches.release(key)
    clusters.release(key)
    outcomes.forget(key)
  }

  private takeOver(keys: readonly string[]): void {
    this.context.log.info({ kustomizations: keys.length }, 'took over')
    for (const key of keys) this.add(key, this.firstPriority(key))
  }

  private onRendering(key: string, next: Rendering, previous: Rendering | undefined): void {
    if (this.context.kustomizations.get(key) === undefined) return
    if (next.message.set?.digest !== previous?.message.set?.digest) this.wakeTakers(key)
    if (!this.share.has(key)) return
    if (next.message.set?.digest !== previous?.message.set?.digest) this.supersede(key)
    const { set } = next.message
    const known = this.context.memory.find(key)
    const isBookkeeping =
      set !== undefined &&
      known?.digest === set.digest &&
      known.generation === next.message.generation &&
      next.message.requestedAt === (previous?.message.requestedAt ?? '')
    if (isBookkeeping && !this.dependants.has(key)) this.catchUp.note(key)
    else this.add(key, isBookkeeping ? 'low' : 'high')
  }

  /** Watches of one cluster; the name keeps its objects apart from those of others. */
  private watch(kube: KubeClient, memory: Memory, cluster = ''): Watches {
    const { signal } = this.stopped
    const { log } = this.options
    const listener = driftListener(
      memory,
      {
        heal: (key, known) => this.heal(key, known),
        healthChanged: (key) => this.queue.add(key, { priority: 'high' }),
        onError: (kind, error) =>
          log.warn(
            { cluster, kind: kind.kind, reason: String(error) },
            'the watch of a managed kind was interrupted',
          ),
      },
      cluster,
    )
    return {
      driftWatches: new DriftWatches(kube, signal, listener),
      healthWatches: new HealthWatches(kube, signal, (key, id) => this.onHealthSign(key, id)),
    }
  }

  private heal(key: string, known: Known): void {
    this.queue.add(key, { priority: 'high', delayMs: healDelayMs(known.heals, this.context.now()) })
  }

  private onHealthSign(key: string, id: string): void {
    this.context.memory.find(key)?.health?.dirty.add(id)
    this.queue.add(key, { priority: 'high' })
  }

  private add(key: string, priority: Priority): void {
    if (this.begun && this.share.has(key)) this.queue.add(key, { priority })
  }

  private wakeDependants(key: string): void {
    for (const dependant of this.dependants.of(key)) this.add(dependant, 'normal')
  }

  /** Both of two that declare the same object say so. */
  private noteContests(key: string, next: Kustomization | undefined): void {
    for (const holder of this.context.contests.note(key, next)) this.add(holder, 'normal')
  }

  /** Others may take what one has let go of. */
  private wakeTakers(key: string): void {
    for (const taker of this.context.contests.takersOf(key)) this.add(taker, 'high')
  }

  /** After a start or when it was taken over: what looks settled is only checked, and may wait. */
  private firstPriority(key: string): Priority {
    const kustomization = this.context.kustomizations.get(key)
    const rendering = this.context.renderings.get(key)
    const status = kustomization?.status ?? {}
    const settled =
      isConditionTrue(status.conditions, 'Ready') &&
      status.observedGeneration === kustomization?.metadata.generation &&
      status.history?.[0]?.digest === rendering?.message.set?.digest
    return settled ? 'low' : 'normal'
  }
}

function objectKey({ metadata }: Kustomization): { namespace: string; name: string } {
  return { namespace: metadata.namespace ?? '', name: metadata.name }
}

function childLog(log: Log, bound: object): Log {
  return {
    debug: (fields, message) => log.debug({ ...bound, ...fields }, message),
    info: (fields, message) => log.info({ ...bound, ...fields }, message),
    warn: (fields, message) => log.warn({ ...bound, ...fields }, message),
    error: (fields, message) => log.error({ ...bound, ...fields }, message),
  }
}

async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  const { promise: timeout, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([promise, timeout]).finally(() => clearTimeout(timer))
}
