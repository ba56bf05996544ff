import type { Bus } from '@setpoint/bus'
import type { GitRepository } from '@setpoint/contracts'
import type { GitHubApps, PackLimits } from '@setpoint/git'
import type { KubeClient } from '@setpoint/kube'
import type { EventRecorder, Tracing } from '@setpoint/service'
import type { ArchiveStore } from './archive-store.ts'
import type { Known, Memory } from './known.ts'
import type { Listings } from './listings.ts'

import type { SourceMetrics } from './metrics.ts'
import type { Repositories } from './repositories.ts'
import type { StateStore } from './state-store.ts'

/** The part of a logger that is needed; pino fits. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface Limits {
  /** Bytes that one fetch may receive. */
  fetchBytes: number
  /** Bytes of all files of an artifact. */
  artifactBytes: number
  /** Whether Git servers may be on link-local addresses. */
  allowLinkLocal: boolean
  /** Bytes of one file of an artifact. */
  fileBytes: number
  trees: { maxDepth: number; maxFiles: number }
  pack: PackLimits
}

/** Everything that reconciling works with; one for the process. */
export interface SourceContext {
  kube: KubeClient
  bus: Bus
  events: EventRecorder
  tracing: Tracing
  log: Log
  metrics: SourceMetrics
  /** Milliseconds since the epoch. */
  now(): number
  limits: Limits
  repositories: Repositories
  memory: Memory
  states: StateStore
  archives: ArchiveStore
  githubApps: GitHubApps
  listings: Listings
}

/** One run over one GitRepository. */
export interface Task {
  key: string
  /** As it is now; replaced by the answers to our own writes. */
  repository: GitRepository
  generation: number
  known: Known
  /** Failures in a row, plus one. */
  attempt: number
  /** Of what set this run off; travels with the artifact to Ready. */
  traceId: string
  /** Somebody asked for this look: a hint, an annotation, a change of the object. */
  isAsked: boolean
  /** Milliseconds since the epoch. */
  startedAt: number
  signal: AbortSignal
  log: Log
}
