import { KubeApiError, type KubeClient, KubeUnreachableError } from '@setpoint/kube'
import { ReconcileError } from '@setpoint/reconcile'
import type { DriftWatches } from '../drift/drift-watches.ts'
import type { HealthWatches } from '../health/health-watches.ts'
import { NotYet } from '../not-yet.ts'
import { throughout } from './client-as.ts'
import { ClusterAway } from './cluster-away.ts'

/** The watches of one cluster. */
export interface Watches {
  driftWatches: DriftWatches
  healthWatches: HealthWatches
}

const PROBE_TIMEOUT_MS = 5_000
const PROBE_AGAIN_MS = { min: 500, max: 5_000 }

/**
 * Another cluster that some Kustomizations are applied to. It is asked in the background whether it is there: no worker
 * waits for a cluster that is away, and its Kustomizations go on as soon as it is back.
 */
export class RemoteCluster {
  readonly kube: KubeClient
  readonly watches: Watches
  /** The Kustomizations that are applied to it. */
  readonly holders = new Set<string>()
  private readonly wake: (key: string) => void
  private state: 'asked' | 'there' | 'away' = 'asked'
  private problem = ''
  private failures = 0
  private timer: NodeJS.Timeout | undefined
  private closed = false

  constructor(kube: KubeClient, watches: Watches, wake: (key: string) => void) {
    this.kube = throughout(kube, { failed: (error) => this.translate(error) })
    this.watches = watches
    this.wake = wake
    void this.probe()
  }

  /** @throws NotYet while its first answer is awaited; ReconcileError while it is away. */
  requireThere(): void {
    if (this.state === 'asked') throw new NotYet(`waiting for the cluster at ${this.kube.server} to answer`)
    if (this.state === 'away') throw this.absence()
  }

  async close(): Promise<void> {
    this.closed = true
    clearTimeout(this.timer)
    for (const key of this.holders) this.drop(key)
    await this.kube[Symbol.asyncDispose]()
  }

  drop(key: string): void {
    this.holders.delete(key)
    this.watches.driftWatches.release(key)
    this.watches.healthWatches.release(key)
  }

  private async probe(): Promise<void> {
    try {
      await this.kube.request({ method: 'GET', path: '/version', timeoutMs: PROBE_TIMEOUT_MS })
      this.isThere()
    } catch (error) {
      // A server that refuses is there; what it refuses is told with the object it is about.
      if (error instanceof KubeApiError) return this.isThere()
      if (!(error instanceof ClusterAway))
        this.problem = error instanceof Error ? error.message : String(error)
      this.isAway()
    }
  }

  /** A request has failed: is it the cluster that is away? */
  private translate(error: unknown): unknown {
    if (!(error instanceof KubeUnreachableError)) return error
    this.problem = error.message
    if (this.state === 'there') this.isAway()
    return new ClusterAway(this.absence())
  }

  private isThere(): void {
    this.failures = 0
    this.change('there')
  }

  private isAway(): void {
    this.failures += 1
    const delayMs = Math.min(PROBE_AGAIN_MS.min * 2 ** (this.failures - 1), PROBE_AGAIN_MS.max)
    clearTimeout(this.timer)
    if (!this.closed) this.timer = setTimeout(() => void this.probe(), delayMs)
    this.change('away')
  }

  private change(state: 'there' | 'away'): void {
    if (this.state === state || this.closed) return
    this.state = state
    for (const key of this.holders) this.wake(key)
  }

  private absence(): ReconcileError {
    return new ReconcileError(
      'ReconciliationFailed',
      `the cluster at ${this.kube.server} is away: ${this.problem}; nothing of it was changed or pruned`,
    )
  }
}
