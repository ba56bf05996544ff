import { isDeepStrictEqual } from 'node:util'
import { type Informer, KubeApiError, type KubeClient, startInformer } from '@setpoint/kube'
import type { Fence } from './fence.ts'
import { LEASE, type LeaseRecord, leaseFields, leaseName, readLease, SERVICE_LABEL } from './lease-record.ts'
import { Observations } from './observations.ts'
import { type Claim, isOwn, isSameView, type Other, type View, viewOf } from './view.ts'

/** What a service does when its share changes. */
export interface Work {
  /**
   * Give up every key for which isLost is true; settles when no run over one of them is under way any more.
   * What is under way may end within graceMs.
   */
  release(isLost: (key: string) => boolean, graceMs: number): Promise<void>
  /** Keys may have become this replica's: look at all of them. */
  regain(): void
}

export interface Membership {
  /** Whether a key is this replica's to work on. */
  owns(key: string): boolean
  /** Tells of every change from now on. Returns how to stop. */
  onChange(work: Work): () => void
  /** Why the share of this replica is not known, or undefined. */
  problem(): string | undefined
  /** The replicas by which this one works. */
  readonly replicas: readonly string[]
  /** Hands the work over; call it when nothing is under way any more. */
  leave(): Promise<void>
}

export interface MembershipLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface MembershipOptions {
  /** A client that no fence holds back, with connections of its own. */
  kube: KubeClient
  fence: Fence
  log: MembershipLog
  service: string
  /** Unlike that of any other replica that runs: the name of the Pod. */
  replica: string
  /** Unlike that of any other process. */
  process: string
  namespace: string
  /** How long a Lease is valid after its renewal. */
  durationMs: number
}

/** Share of the duration after which a Lease is renewed, and that is kept as a distance between two owners. */
const RENEW_SHARE = 2 / 7
const MARGIN_SHARE = 1 / 7
const RETRY_MS = 500
const FORGET_MS = 60_000
/** How long work under way may take when it is handed over. */
const HAND_OVER_MS = 15_000

/** A service of one replica: everything is its own, and nobody is asked. */
export function soleMember(): Membership {
  return {
    owns: () => true,
    onChange: () => () => undefined,
    problem: () => undefined,
    replicas: [],
    leave: async () => undefined,
  }
}

/**
 * Takes part in the work of a service, until `leave`; the fence is shut before that. A replica that is alone owns
 * everything when this returns. @throws KubeApiError, KubeUnreachableError when the Lease cannot be written
 */
export async function joinReplicas(options: MembershipOptions): Promise<Membership> {
  const membership = new LeaseMembership(options)
  await membership.join()
  return membership
}

class LeaseMembership implements Membership {
  private readonly options: MembershipOptions
  private readonly observations = new Observations()
  private readonly stopping = new AbortController()
  private claim: Claim
  /** What the Lease is to say next: the target, once nothing that it gives away is under way. */
  private agreed: View = []
  private readonly works = new Set<Work>()
  private informer: Informer | undefined
  private transitions = 0
  private written = false
  /** The Lease says something that the others' Leases were not read after. */
  private unread = true
  private signature = ''
  private usurped = false
  private woken = false
  private waker: (() => void) | undefined
  private loop: Promise<void> | undefined

  constructor(options: MembershipOptions) {
    this.options = options
    this.claim = { self: options.replica, view: [], target: [], others: [] }
  }

  get replicas(): readonly string[] {
    return this.claim.view
  }

  owns(key: string): boolean {
    return isOwn(key, this.claim)
  }

  onChange(work: Work): () => void {
    this.works.add(work)
    return () => this.works.delete(work)
  }

  problem(): string | undefined {
    if (this.usurped) return `another process has taken the name ${this.options.replica}`
    return this.options.fence.leftMs() > 0 ? undefined : 'the Lease of this replica is not renewed'
  }

  async join(): Promise<void> {
    await this.list()
    this.agreed = viewOf(this.claim.self, this.living())
    this.claim = { ...this.claim, target: this.agreed }
    await this.turn()
    this.watch()
    this.loop = this.run()
  }

  async leave(): Promise<void> {
    this.stopping.abort()
    this.wake()
    this.informer?.stop()
    await this.loop
    this.options.fence.revoke()
    if (this.written && !this.usurped) await this.remove(this.options.replica).catch(() => undefined)
  }

  private async run(): Promise<void> {
    let failed = false
    while (!this.stopping.signal.aborted) {
      if (failed || !this.woken) await this.pause(failed ? RETRY_MS : this.nextTurnMs())
      if (this.stopping.signal.aborted) return
      this.woken = false
      failed = await this.turn().then(
        () => false,
        (error: unknown) => this.noteFailure(error),
      )
    }
  }

  private noteFailure(error: unknown): true {
    if (error instanceof KubeApiError && error.code === 404) this.written = false
    const message = 'the Lease of this replica could not be renewed; trying again'
    this.options.log.warn({ reason: String(error) }, message)
    return true
  }

  private nextTurnMs(): number {
    const expiry = this.observations.nextExpiry(performance.now()) ?? Number.POSITIVE_INFINITY
    return Math.min(this.options.durationMs * RENEW_SHARE, expiry)
  }

  /** Renews, looks at the others where that is needed, and draws the conclusions. */
  private async turn(): Promise<void> {
    const { fence, durationMs } = this.options
    const view = this.agreed
    const mark = fence.mark()
    const wrote = await this.renew(view)
    const lapsed = fence.leftMs() <= 0
    if (wrote || lapsed || this.unread || this.someoneExpired()) await this.list()
    this.unread = false
    const signature = this.signatureNow()
    // While our Lease was not valid somebody may have worked on what is ours; the fence stays shut until all of that ends.
    if (lapsed && signature !== this.signature) await this.giveUpAll()
    this.signature = signature
    // Not that of before: what was given up has to be taken again, even if everybody works by the same views as then.
    const before = this.claim
    this.adopt(view)
    fence.grant(mark, durationMs * (1 - MARGIN_SHARE))
    this.conclude(before)
    await this.forgetDead()
  }

  /** True when the view in it is a new one. */
  private async renew(view: View): Promise<boolean> {
    const { service, replica, namespace, process, durationMs } = this.options
    const isNew = !this.written || !isSameView(view, this.claim.view)
    const transitions = this.transitions + (isNew ? 1 : 0)
    const fields = leaseFields(service, {
      name: replica,
      holder: process,
      view,
      durationMs,
      transitions,
      renewedAt: Date.now(),
    })
    const key = { namespace, name: leaseName(service, replica) }
    if (isNew) this.unread = true
    await this.write(key, fields)
    this.written = true
    this.transitions = transitions
    return isNew
  }

  private async write(
    key: { namespace: string; name: string },
    fields: ReturnType<typeof leaseFields>,
  ): Promise<void> {
    const { kube, durationMs } = this.options
    const options = { timeoutMs: durationMs / 2 }
    const patch = () => kube.mergePatch(LEASE, key, fields, options)
    if (this.written) return void (await patch())
    const metadata = { ...fields.metadata, ...key }
    await kube
      .create({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...fields, metadata }, options)
      .catch((error: unknown) => {
        // Of a process that had this name before; it has ended.
        if (error instanceof KubeApiError && error.code === 409) return patch()
        throw error
      })
  }

  private async list(): Promise<void> {
    const { kube, namespace, service, durationMs } = this.options
    const leases = await kube.list(LEASE, {
      namespace,
      labelSelector: `${SERVICE_LABEL}=${service}`,
      timeoutMs: durationMs / 2,
    })
    this.observations.replace(
      leases.flatMap((lease) => this.othersOf(readLease(lease))),
      performance.now(),
      durationMs / 2,
    )
  }

  private othersOf(lease: LeaseRecord | undefined): LeaseRecord[] {
    return lease === undefined || lease.name === this.options.replica ? [] : [lease]
  }

  private living(): LeaseRecord[] {
    return this.observations.living(performance.now())
  }

  private someoneExpired(): boolean {
    const living = new Set(this.living().map(({ name }) => name))
    return this.claim.others.some(({ name }) => !living.has(name))
  }

  private async giveUpAll(): Promise<void> {
    this.claim = { ...this.claim, view: [] }
    await this.release(() => true, 0)
  }

  /** Changes when a replica comes, goes, is started again, or works by another view. */
  private signatureNow(): string {
    const all = this.living().map(({ name, holder, transitions }) => `${name} ${holder} ${transitions}`)
    return all.sort().join()
  }

  /** From here on the view that was written counts, with what the others said after that. */
  private adopt(view: View): void {
    const others: Other[] = this.living().map(({ name, view }) => ({ name, view }))
    this.claim = { ...this.claim, view, others }
  }

  private conclude(before: Claim): void {
    const target = viewOf(this.claim.self, this.claim.others)
    if (!isSameView(target, this.claim.target)) this.retarget(target)
    if (!isDeepStrictEqual(before, this.claim)) for (const work of this.works) work.regain()
  }

  private async release(isLost: (key: string) => boolean, graceMs: number): Promise<void> {
    await Promise.all([...this.works].map((work) => work.release(isLost, graceMs)))
  }

  /** What the new view gives away is given up at once; the Lease says so when nothing of it is under way. */
  private retarget(target: View): void {
    this.options.log.info({ replicas: target }, 'the replicas have changed')
    this.claim = { ...this.claim, target }
    void this.release((key) => !isOwn(key, this.claim), HAND_OVER_MS).then(() => {
      if (this.claim.target !== target) return
      this.agreed = target
      this.wake()
    })
  }

  private watch(): void {
    const { kube, namespace, service } = this.options
    this.informer = startInformer(kube, {
      gvk: LEASE,
      namespace,
      labelSelector: `${SERVICE_LABEL}=${service}`,
      signal: this.stopping.signal,
      onUpsert: (object) => {
        this.observations.looked(performance.now())
        const lease = readLease(object)
        if (lease?.name === this.options.replica) this.onOwnLease(lease)
        for (const other of this.othersOf(lease)) this.onLease(other)
      },
      onDelete: (object) => {
        for (const { name } of this.othersOf(readLease(object))) {
          this.observations.gone(name)
          this.wake()
        }
      },
    })
  }

  private onLease(lease: LeaseRecord): void {
    this.observations.note(lease, performance.now())
    const known = this.claim.others.find(({ name }) => name === lease.name)
    if (known === undefined || !isSameView(known.view, lease.view)) this.wake()
  }

  /** Two processes of one name would both be the owner: the older one stands back. */
  private onOwnLease(lease: LeaseRecord): void {
    if (lease.holder === this.options.process || this.usurped) return
    this.usurped = true
    this.stopping.abort()
    this.options.fence.revoke()
    this.wake()
    this.options.log.warn({ holder: lease.holder }, 'another process has taken the name of this replica')
  }

  /** Leases of replicas that were killed and have not come back. */
  private async forgetDead(): Promise<void> {
    for (const { name, resourceVersion } of this.observations.deadFor(FORGET_MS, performance.now())) {
      this.observations.gone(name)
      await this.remove(name, resourceVersion).catch(() => undefined)
    }
  }

  private async remove(replica: string, resourceVersion?: string): Promise<void> {
    const { kube, service, namespace } = this.options
    const key = { namespace, name: leaseName(service, replica) }
    await kube.delete(LEASE, key, { timeoutMs: 2_000, resourceVersion })
  }

  private wake(): void {
    this.woken = true
    this.waker?.()
  }

  private pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    this.waker = resolve
    return promise.finally(() => clearTimeout(timer))
  }
}
