import { GIT_REPOSITORY, type GitRepository } from '@setpoint/contracts'
import { type Informer, type KubeClient, startInformer } from '@setpoint/kube'
import { keyOf, sourceKey } from './keys.ts'

/** The GitRepositories of the cluster: tells a source that does not exist from one that has no artifact yet. */
export class GitRepositories {
  private readonly informer: Informer
  private readonly since: number
  private readonly now: () => number

  constructor(
    kube: KubeClient,
    options: {
      signal: AbortSignal
      now: () => number
      onChange(sourceKey: string): void
      onError(error: unknown): void
    },
  ) {
    this.now = options.now
    this.since = options.now()
    const changed = (object: { metadata: { namespace?: string; name: string } }) =>
      options.onChange(`${GIT_REPOSITORY.kind}/${keyOf(object.metadata)}`)
    this.informer = startInformer(kube, {
      gvk: GIT_REPOSITORY,
      signal: options.signal,
      transform: ({ metadata: { managedFields, ...metadata }, ...object }) =>
        ({ ...object, metadata }) as never,
      onUpsert: changed,
      onDelete: changed,
      onError: options.onError,
    })
  }

  get synced(): Promise<void> {
    return this.informer.synced
  }

  get healthy(): boolean {
    return this.informer.healthy
  }

  /**
   * Why a source gives no files, as Flux words it; undefined while it may still be about to: it has not been looked at,
   * or it has an artifact that its service has yet to send (again).
   */
  problem(source: { kind: string; namespace: string; name: string }): string | undefined {
    const repository = this.informer.get(source.namespace, source.name) as GitRepository | undefined
    if (repository === undefined) return `Source '${sourceKey(source)}' not found`
    const { status } = repository
    const unseen = (status?.observedGeneration ?? -1) < 0 && (status?.conditions ?? []).length === 0
    const revision = status?.artifact?.revision
    if (unseen || revision !== undefined) {
      if (this.now() - this.since < PATIENCE_MS) return undefined
      return `Source '${sourceKey(source)}' has not sent ${revision ?? 'anything'}: is the source service running?`
    }
    return 'Source artifact not found, retrying in 30s'
  }
}

const PATIENCE_MS = 60_000
