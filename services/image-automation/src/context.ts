import type { Bus } from '@setpoint/bus'
import type { GitLogins, RegistryLogins } from '@setpoint/cloud'
import type { GitRepository, ImagePolicy, ImageRepository, ImageUpdateAutomation } from '@setpoint/contracts'
import type { GitHubApps, RemoteOptions } from '@setpoint/git'
import type { KubeClient, WatchedObjects } from '@setpoint/kube'
import type { RegistryClient } from '@setpoint/registry'
import type { EventRecorder } from '@setpoint/service'
import type { Announcer } from './announcer.ts'
import type { ImageMetrics } from './metrics.ts'
import type { KnownTags } from './scan/known-tags.ts'
import type { Mirrors } from './update/mirrors.ts'

/** The part of a logger that is needed; pino fits. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** The kinds whose status this service writes. */
export type ImageObject = ImageRepository | ImagePolicy | ImageUpdateAutomation

/** Everything that reconciling works with; one for the process. */
export interface ImageContext {
  kube: KubeClient
  bus: Bus
  events: EventRecorder
  log: Log
  announcer: Announcer
  metrics: ImageMetrics
  registry: RegistryClient
  registryLogins: RegistryLogins
  mirrors: Mirrors
  tags: KnownTags
  /** Throws when somebody else may be at work on what is ours; asked before a push. */
  beforeWrite?(): void
  /** Milliseconds since the epoch. */
  now(): number
  allowCrossNamespace: boolean
  /** Bounds on what Git servers may send. */
  gitLimits: Pick<RemoteOptions, 'maxBytes' | 'packLimits' | 'allowLinkLocal'>
  githubApps: GitHubApps
  gitLogins: GitLogins
  repositories: WatchedObjects<ImageRepository>
  policies: WatchedObjects<ImagePolicy>
  automations: WatchedObjects<ImageUpdateAutomation>
  sources: WatchedObjects<GitRepository>
  /** Asks for a scan now. */
  scanNow(key: string): void
  /** Asks a policy to choose again. */
  chooseNow(key: string): void
  /** Other tags are known of an ImageRepository: its policies choose again. */
  tagsChanged(key: string): void
}

/** One run over one object. */
export interface Task<T extends ImageObject> {
  key: string
  /** As it is now; replaced by the answers to our own writes. */
  object: T
  generation: number
  /** Failures in a row, plus one. */
  attempt: number
  traceId: string
  signal: AbortSignal
  log: Log
}
