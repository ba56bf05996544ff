import type { ArchiveMembers } from '@setpoint/artifact'
import type { Bus } from '@setpoint/bus'
import type { SourceObject } from '@setpoint/contracts'
import type { PackLimits } from '@setpoint/git'
import type { KubeClient, WatchedObjects } from '@setpoint/kube'
import type { EventRecorder, Tracing } from '@setpoint/service'
import type { ArchiveStore } from './archive/archive-store.ts'
import type { Known, Memory } from './known.ts'
import type { SourceMetrics } from './metrics.ts'
import type { SourceKind } from './source-kind.ts'
import type { StateStore } from './state-store.ts'
import type { Packs } from './storage/packs.ts'

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
  /** Redirects that one request follows. */
  redirects: number
  /** Whether servers may be on link-local addresses. */
  allowLinkLocal: boolean
  /** Bytes of one file of an artifact. */
  fileBytes: number
  trees: { maxDepth: number; maxFiles: number }
  pack: PackLimits
}

/** What reconciling works with, whatever the kind; one for the process. */
export interface SharedContext {
  kube: KubeClient
  bus: Bus
  events: EventRecorder
  tracing: Tracing
  log: Log
  /** Milliseconds since the epoch. */
  now(): number
  limits: Limits
  archives: ArchiveStore
  packs: Packs
  /** Parts of archives, which most revisions share. */
  members: ArchiveMembers
}

/** Everything that reconciling one kind works with. */
export interface SourceContext<T extends SourceObject = SourceObject> extends SharedContext {
  kind: SourceKind<T>
  objects: WatchedObjects<T>
  metrics: SourceMetrics
  memory: Memory
  states: StateStore
}

/** One run over one object. */
export interface Task<T extends SourceObject = SourceObject> {
  key: string
  /** As it is now; replaced by the answers to our own writes. */
  object: T
  generation: number
  known: Known
  /** Failures in a row, plus one. */
  attempt: number
  /** Of what set this run off; travels with the artifact to Ready. */
  traceId: string
  /** Somebody asked for this look: a hint, an annotation, a change of the object. */
  isAsked: boolean
  /** Since when the object is this replica's: what was heard before that may be older than what another one has published. */
  takenAt: number
  /** Milliseconds since the epoch. */
  startedAt: number
  signal: AbortSignal
  log: Log
}
