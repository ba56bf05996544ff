import { ArtifactError, type FileContents, MemoryTree, treeDigest } from '@setpoint/artifact'
import { newTraceId } from '@setpoint/bus'
import { type Artifact, EXTERNAL_ARTIFACT, type ExternalArtifact, ORIGIN_REVISION } from '@setpoint/contracts'
import { type KubeClient, keyOf, WatchedObjects } from '@setpoint/kube'
import { KeyedQueue, type Result } from '@setpoint/reconcile'
import { ArchiveError, type FetchLimits, fetchArchive } from './fetch-archive.ts'
import type { SourceReference } from './source-problem.ts'
import type { SourceTree } from './trees.ts'

export interface ExternalArtifactOptions {
  signal: AbortSignal
  limits: FetchLimits
  /** Milliseconds since the epoch. */
  now(): number
  /** Whether a Kustomization takes its files from this source: only those are fetched. */
  isWanted(sourceKey: string): boolean
  /** A source has a new tree, has lost it, or cannot be fetched. */
  onChange(sourceKey: string): void
  onError(error: unknown): void
}

const RETRY_MS = 30_000

/** Artifacts that others make and serve: fetched from where their objects say, when a Kustomization wants them. */
export class ExternalArtifacts {
  /** Fetches, one object at a time each. */
  readonly queue: KeyedQueue
  private readonly options: ExternalArtifactOptions
  private readonly objects: WatchedObjects<ExternalArtifact>
  private readonly trees = new Map<string, { artifact: Artifact; tree: SourceTree }>()
  private readonly problems = new Map<string, { artifact: Artifact; message: string }>()

  constructor(kube: KubeClient, options: ExternalArtifactOptions) {
    this.options = options
    this.queue = new KeyedQueue({
      workers: 2,
      backoff: { minMs: 500, maxMs: RETRY_MS },
      handle: (key, { signal }) => this.load(key, signal),
      onError: (_key, error) => options.onError(error),
    })
    const { signal, onError } = options
    this.objects = new WatchedObjects<ExternalArtifact>(
      kube,
      { gvk: EXTERNAL_ARTIFACT, signal },
      {
        onUpsert: (key, next, previous) => {
          const isNews = previous === undefined || !isSame(next.status?.artifact, previous.status?.artifact)
          if (isNews) this.look(key)
        },
        onDelete: (key) => {
          this.forget(key)
          options.onChange(sourceKeyOf(key))
        },
        onError,
      },
    )
  }

  get synced(): Promise<void> {
    return this.objects.synced
  }

  get healthy(): boolean {
    return this.objects.healthy
  }

  /** The tree of what the object says now; undefined while it is fetched, which this call sets off if need be. */
  get(source: SourceReference): SourceTree | undefined {
    const key = keyOf({ metadata: source })
    const artifact = this.objects.get(key)?.status?.artifact
    const found = this.trees.get(key)
    if (artifact !== undefined && isSame(found?.artifact, artifact)) return found?.tree
    if (artifact !== undefined && !isSame(this.problems.get(key)?.artifact, artifact)) this.queue.add(key)
    return undefined
  }

  /** Why there are no files; undefined while they may still be on their way. */
  problem(source: SourceReference): string | undefined {
    const key = keyOf({ metadata: source })
    const object = this.objects.get(key)
    if (object === undefined) return `Source '${sourceKeyOf(key)}' not found`
    const { artifact } = object.status ?? {}
    if (artifact === undefined) return 'Source artifact not found, retrying in 30s'
    const problem = this.problems.get(key)
    return isSame(problem?.artifact, artifact) ? problem?.message : undefined
  }

  async stop(graceMs: number): Promise<void> {
    await this.queue.stop(graceMs)
  }

  private look(key: string): void {
    if (this.options.isWanted(sourceKeyOf(key))) this.queue.add(key, { priority: 'high' })
    else this.forget(key)
  }

  private async load(key: string, signal: AbortSignal): Promise<Result> {
    const object = this.objects.get(key)
    const artifact = object?.status?.artifact
    const known = this.trees.get(key)
    if (object === undefined || artifact === undefined) this.forget(key)
    else if (!isSame(known?.artifact, artifact)) return this.fetch(key, object, artifact, signal)
    this.options.onChange(sourceKeyOf(key))
    return undefined
  }

  private async fetch(
    key: string,
    object: ExternalArtifact,
    artifact: Artifact,
    signal: AbortSignal,
  ): Promise<Result> {
    try {
      const files = await fetchArchive(artifact, this.options.limits, signal)
      this.trees.set(key, { artifact, tree: this.toTree(object, artifact, files) })
      this.problems.delete(key)
      return undefined
    } catch (error) {
      if (!(error instanceof ArchiveError || error instanceof ArtifactError)) throw error
      const message = `artifact ${artifact.revision} of ExternalArtifact ${key}: ${error.message}`
      this.problems.set(key, { artifact, message })
      return { requeueAfterMs: RETRY_MS }
    } finally {
      this.options.onChange(sourceKeyOf(key))
    }
  }

  private toTree(
    { metadata }: ExternalArtifact,
    { revision, url, metadata: { [ORIGIN_REVISION]: originRevision } = {} }: Artifact,
    files: Map<string, FileContents>,
  ): SourceTree {
    const { namespace = '', name, uid = '' } = metadata
    return {
      message: {
        kind: EXTERNAL_ARTIFACT.kind,
        namespace,
        name,
        uid,
        revision,
        ...(originRevision === undefined ? {} : { originRevision }),
        url,
      },
      digest: treeDigest([...files.values()].map(({ file }) => file)),
      files: new MemoryTree(files.values()),
      traceId: newTraceId(),
      time: this.options.now(),
    }
  }

  private forget(key: string): void {
    this.trees.delete(key)
    this.problems.delete(key)
  }
}

const sourceKeyOf = (key: string): string => `${EXTERNAL_ARTIFACT.kind}/${key}`

function isSame(one: Artifact | undefined, other: Artifact | undefined): boolean {
  return one?.digest === other?.digest && one?.revision === other?.revision && one?.url === other?.url
}
