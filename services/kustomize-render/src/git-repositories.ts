import { GIT_REPOSITORY, type GitRepository } from '@setpoint/contracts'
import { type Informer, type KubeClient, startInformer } from '@setpoint/kube'
import { keyOf } from './keys.ts'
import { type SourceReference, sourceProblem } from './source-problem.ts'

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

  /** Why a source gives no files; undefined while it may still be about to. */
  problem(source: SourceReference): string | undefined {
    const repository = this.informer.get(source.namespace, source.name) as GitRepository | undefined
    return sourceProblem(source, repository, { now: this.now(), since: this.since })
  }
}
