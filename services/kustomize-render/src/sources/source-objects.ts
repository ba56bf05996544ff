import { BUCKET, GIT_REPOSITORY, OCI_REPOSITORY, type SourceObject } from '@setpoint/contracts'
import { type KubeClient, keyOf, WatchedObjects } from '@setpoint/kube'
import { type SourceReference, sourceProblem } from './source-problem.ts'

const KINDS = [BUCKET, GIT_REPOSITORY, OCI_REPOSITORY]

/** The sources of the cluster, of all kinds: tells one that does not exist from one that has no artifact yet. */
export class SourceObjects {
  private readonly kinds: ReadonlyMap<string, WatchedObjects<SourceObject>>
  private since: number
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
    const { signal, onChange, onError } = options
    this.now = options.now
    this.since = options.now()
    const watch = (gvk: (typeof KINDS)[number]) => {
      const changed = (key: string) => onChange(`${gvk.kind}/${key}`)
      return new WatchedObjects<SourceObject>(
        kube,
        { gvk, signal },
        { onUpsert: changed, onDelete: changed, onError },
      )
    }
    this.kinds = new Map(KINDS.map((gvk) => [gvk.kind, watch(gvk)]))
  }

  /** Settles when all that exist are known. */
  async synced(): Promise<void> {
    await Promise.all([...this.kinds.values()].map(({ synced }) => synced))
  }

  get healthy(): boolean {
    return [...this.kinds.values()].every(({ healthy }) => healthy)
  }

  /** What the sources have said was read anew: they get as much time as at the start to say what is missing. */
  listenAnew(): void {
    this.since = this.now()
  }

  /** Why a source gives no files; undefined while it may still be about to. */
  problem(source: SourceReference): string | undefined {
    const { namespace, name } = source
    const object = this.kinds.get(source.kind)?.get(keyOf({ metadata: { namespace, name } }))
    return sourceProblem(source, object, { now: this.now(), since: this.since })
  }
}
