import { type Informer, type KubeClient, startInformer } from '@setpoint/kube'
import { inventoryId, type KubeObject, refOf } from '@setpoint/manifest'
import type { HealthTarget } from './pending.ts'

interface ObjectWatch {
  informer: Informer
  holders: Set<string>
}

/** Metadata watches of single objects that are health-checked but not managed by us. */
export class HealthWatches {
  private readonly kube: KubeClient
  private readonly signal: AbortSignal
  private readonly onChange: (key: string, id: string, resourceVersion: string) => void
  private readonly watches = new Map<string, ObjectWatch>()

  constructor(
    kube: KubeClient,
    signal: AbortSignal,
    onChange: (key: string, id: string, resourceVersion: string) => void,
  ) {
    this.kube = kube
    this.signal = signal
    this.onChange = onChange
  }

  /** Says which foreign objects a Kustomization waits for now. */
  hold(key: string, targets: Iterable<[string, HealthTarget]>): void {
    const wanted = new Map([...targets].filter(([, target]) => !target.ours))
    for (const [id, target] of wanted) this.open(id, target).holders.add(key)
    for (const [id, watch] of this.watches) {
      if (wanted.has(id) || !watch.holders.delete(key) || watch.holders.size > 0) continue
      watch.informer.stop()
      this.watches.delete(id)
    }
  }

  release(key: string): void {
    this.hold(key, [])
  }

  private open(id: string, target: HealthTarget): ObjectWatch {
    const open = this.watches.get(id)
    if (open !== undefined) return open
    const watch = { informer: this.start(id, target), holders: new Set<string>() }
    this.watches.set(id, watch)
    return watch
  }

  private start(id: string, { ref, version }: HealthTarget): Informer {
    const changed = (object: KubeObject) => {
      if (inventoryId(refOf(object)) !== id) return
      for (const key of this.watches.get(id)?.holders ?? [])
        this.onChange(key, id, object.metadata.resourceVersion ?? '')
    }
    return startInformer(this.kube, {
      gvk: { group: ref.group, version, kind: ref.kind },
      ...(ref.namespace === '' ? {} : { namespace: ref.namespace }),
      fieldSelector: `metadata.name=${ref.name}`,
      metadataOnly: true,
      signal: this.signal,
      onUpsert: changed,
      onDelete: changed,
    })
  }
}
