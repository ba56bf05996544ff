import type { ClusterLogins } from '@setpoint/cloud'
import { type KubeClient, ReferenceWatch } from '@setpoint/kube'
import { ReconcileError } from '@setpoint/reconcile'
import type { ApplyContext, Task } from '../context.ts'
import type { Policy } from '../policy.ts'
import { accountExists, accountOf, userOf } from './account.ts'
import { clientAs } from './client-as.ts'
import { kubeConfigRefOf, readConnection } from './connection.ts'
import { RemoteCluster, type Watches } from './remote-cluster.ts'

/** Connections that are open at once. Each has a few sockets and the watches of what is applied there. */
const MAX_CLUSTERS = 200
const REMOTE_OPTIONS = { requestTimeoutMs: 10_000, maxConcurrentRequests: 16, userAgent: 'setpoint-apply' }

export interface ClustersOptions {
  home: KubeClient
  policy: Policy
  /** To clusters of clouds. */
  logins: ClusterLogins
  /** Asked before every write to another cluster. */
  beforeWrite: (() => void) | undefined
  signal: AbortSignal
  /** Watches on a cluster; the name keeps its objects apart from those of other clusters. */
  watch(kube: KubeClient, cluster: string): Watches
  /** A Kustomization has to be looked at. */
  wake(key: string): void
  /** The watch of kubeconfigs was interrupted; it goes on by itself. */
  onError(error: unknown): void
}

/** Where the objects of each Kustomization go, and as whom. One connection for each kubeconfig, however many use it. */
export class Clusters {
  private readonly options: ClustersOptions
  private readonly byDigest = new Map<string, RemoteCluster>()
  private readonly byKey = new Map<string, string>()
  /** The Secrets and ConfigMaps that say how to reach clusters. */
  private readonly kubeConfigs: ReferenceWatch

  constructor(options: ClustersOptions) {
    this.options = options
    this.kubeConfigs = new ReferenceWatch(options.home, {
      signal: options.signal,
      onChange: (key) => options.wake(key),
      onError: (error) => options.onError(error),
    })
    options.signal.addEventListener('abort', () => this.closeAll(), { once: true })
  }

  /**
   * The context in which a run works on its objects: the client of their cluster, acting as the account of the spec.
   * @throws ReconcileError when the kubeConfig cannot be used or its cluster is away.
   */
  async enter(context: ApplyContext, task: Task): Promise<ApplyContext> {
    const remote = await this.remoteOf(task)
    remote?.requireThere()
    const account = accountOf(task.kustomization, this.options.policy.defaultServiceAccount)
    const user = account === undefined ? undefined : userOf(task.kustomization, account)
    this.noteWhere(context, task, remote, user)
    const kube = remote?.kube ?? this.options.home
    return {
      ...context,
      ...remote?.watches,
      kube: user === undefined ? kube : clientAs(kube, user),
    }
  }

  /** The cluster that a Kustomization was last applied to, unless it is the own one. */
  private find(key: string): RemoteCluster | undefined {
    return this.byDigest.get(this.byKey.get(key) ?? '')
  }

  /** The account that the objects are applied as exists, as far as we may see. */
  async accountIsThere({ key, kustomization }: Task): Promise<boolean> {
    const account = accountOf(kustomization, this.options.policy.defaultServiceAccount)
    if (account === undefined) return true
    return accountExists(this.find(key)?.kube ?? this.options.home, kustomization, account)
  }

  /** A Kustomization is gone, suspended, or another replica's. */
  release(key: string): void {
    this.kubeConfigs.set(key, [])
    this.leave(key)
  }

  private async remoteOf(task: Task): Promise<RemoteCluster | undefined> {
    const { key, kustomization } = task
    const ref = kubeConfigRefOf(kustomization)
    if (ref === undefined) {
      this.release(key)
      return undefined
    }
    this.kubeConfigs.set(key, [ref])
    const { home, policy, wake, watch, logins } = this.options
    const connection = await readConnection(home, kustomization, ref, { policy, logins })
    if (this.byKey.get(key) !== connection.digest) this.leave(key)
    const remote = this.byDigest.get(connection.digest) ?? (await this.open(connection, watch, wake))
    remote.holders.add(key)
    this.byKey.set(key, connection.digest)
    return remote
  }

  private async open(
    connection: Awaited<ReturnType<typeof readConnection>>,
    watch: ClustersOptions['watch'],
    wake: ClustersOptions['wake'],
  ): Promise<RemoteCluster> {
    if (this.byDigest.size >= MAX_CLUSTERS)
      throw new ReconcileError(
        'ReconciliationFailed',
        `there are ${MAX_CLUSTERS} connections to other clusters already; spread the Kustomizations over more replicas`,
      )
    const { beforeWrite } = this.options
    const kube = await connection.open({ ...REMOTE_OPTIONS, beforeWrite })
    const opened = this.byDigest.get(connection.digest)
    if (opened !== undefined) {
      await kube[Symbol.asyncDispose]()
      return opened
    }
    const remote = new RemoteCluster(kube, watch(kube, kube.server), wake)
    this.byDigest.set(connection.digest, remote)
    return remote
  }

  /** What was known of objects says nothing of another cluster, and little when seen by another account. */
  private noteWhere(
    context: ApplyContext,
    task: Task,
    remote: RemoteCluster | undefined,
    user: string | undefined,
  ): void {
    const cluster = remote?.kube.server ?? ''
    const access = `${this.byKey.get(task.key) ?? ''} ${user ?? ''}`
    if (task.known.cluster !== cluster) {
      if (remote !== undefined) context.driftWatches.release(task.key)
      context.memory.move(task.key, task.known, cluster)
    }
    if (task.known.access !== access) task.known.digest = undefined
    task.known.access = access
  }

  private leave(key: string): void {
    const digest = this.byKey.get(key)
    const remote = this.byDigest.get(digest ?? '')
    this.byKey.delete(key)
    if (digest === undefined || remote === undefined) return
    remote.drop(key)
    if (remote.holders.size > 0) return
    this.byDigest.delete(digest)
    void remote.close()
  }

  private closeAll(): void {
    for (const remote of this.byDigest.values()) void remote.close()
    this.byDigest.clear()
  }
}
