import type { Bus } from '@setpoint/bus'
import type { Kustomization, KustomizationWishes } from '@setpoint/contracts'
import type { KubeClient, WatchedObjects } from '@setpoint/kube'
import type { InventoryEntry } from '@setpoint/manifest'
import type { EventRecorder, Tracing } from '@setpoint/service'
import type { Rejection } from './apply/rejection.ts'
import type { Clusters } from './clusters/clusters.ts'
import type { DriftWatches } from './drift/drift-watches.ts'
import type { HealthWatches } from './health/health-watches.ts'
import type { Known, Memory } from './known.ts'
import type { ApplyMetrics } from './metrics.ts'
import type { Outcomes } from './outcomes.ts'
import type { CheckBudget } from './plan/sample.ts'
import type { Policy } from './policy.ts'
import type { Contests } from './prune/contests.ts'
import type { Rendering, Renderings } from './renderings.ts'
import type { Chosen } from './rollback.ts'
import type { SealedSets } from './sealed-sets.ts'
import type { Notices } from './status/settlement.ts'

/** The part of a logger that is needed; pino fits. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Everything that reconciling works with; one for the process. */
export interface ApplyContext {
  /** The own cluster, where the Kustomizations are. */
  home: KubeClient
  /** Where the objects of the run's Kustomization are, acting as the account that they are applied as. */
  kube: KubeClient
  clusters: Clusters
  bus: Bus
  events: EventRecorder
  tracing: Tracing
  log: Log
  metrics: ApplyMetrics
  policy: Policy
  /** Milliseconds since the epoch. */
  now(): number
  /** Objects of one stage that are asked about at once. */
  parallel: number
  kustomizations: WatchedObjects<Kustomization>
  renderings: Renderings
  sets: SealedSets
  memory: Memory
  outcomes: Outcomes
  contests: Contests
  checkBudget: CheckBudget
  driftWatches: DriftWatches
  healthWatches: HealthWatches
}

/** One run over one Kustomization. */
export interface Task {
  key: string
  /** As it is now; replaced by the answers to our own writes. */
  kustomization: Kustomization
  /** The generation that the run is about. */
  generation: number
  known: Known
  wishes: KustomizationWishes
  /** What differs from Git is brought back: the mode says so, or somebody has asked for it. */
  enforces: boolean
  /** The set was in place already when this process began. */
  settledBefore: boolean
  /** Answers took long in the run before. */
  wasSluggish: boolean
  /** What was refused while the rest was applied. */
  refused: Rejection[]
  rendering: Rendering | undefined
  /** What this run holds the cluster to, once that is known. */
  chosen: Chosen | undefined
  /** What is in the cluster after this run has applied and pruned. */
  inventory: InventoryEntry[] | undefined
  /** What the status has to say besides how the run went; undefined until this run knows. */
  notices: Notices | undefined
  startedAt: number
  /** Something was changed behind this run's back: another run has to look again. */
  overtaken: boolean
  /** Objects that the API server has been asked about and has not answered yet. */
  underWay: Set<string>
  signal: AbortSignal
  /** Aborted when a newer set or spec is there: what waits, waits no longer. */
  superseded: AbortSignal
  log: Log
}
