import type { KubeObject } from '@setpoint/manifest'
import type { KubeClient } from './client-types.ts'
import { type Informer, startInformer } from './informer.ts'

/** A ConfigMap or Secret that somebody reads. */
export interface DataReference {
  kind: 'ConfigMap' | 'Secret'
  namespace: string
  name: string
}

export interface ReferenceWatchOptions {
  signal: AbortSignal
  /** Something that this owner refers to appeared, changed or went. */
  onChange(owner: string): void
  onError(error: unknown): void
}

/**
 * Tells who has to look again because a ConfigMap or Secret changed. Watches metadata alone, never a value, and a kind
 * only from the first reference to one of it on.
 */
export class ReferenceWatch {
  private readonly kube: KubeClient
  private readonly options: ReferenceWatchOptions
  private readonly informers = new Map<string, Informer>()
  /** `<kind>/<namespace>/<name>` → owners. */
  private readonly owners = new Map<string, Set<string>>()
  private readonly references = new Map<string, readonly string[]>()

  constructor(kube: KubeClient, options: ReferenceWatchOptions) {
    this.kube = kube
    this.options = options
  }

  /** Says what an owner refers to, in place of what it referred to before. Call it before you read: no change is missed. */
  set(owner: string, references: readonly DataReference[]): void {
    const keys = references.map(keyOf)
    for (const key of this.references.get(owner) ?? []) this.remove(key, owner)
    if (keys.length === 0) this.references.delete(owner)
    else this.references.set(owner, keys)
    for (const key of keys) this.owners.set(key, (this.owners.get(key) ?? new Set()).add(owner))
    for (const { kind } of references) this.watch(kind)
  }

  private remove(key: string, owner: string): void {
    const owners = this.owners.get(key)
    owners?.delete(owner)
    if (owners?.size === 0) this.owners.delete(key)
  }

  private watch(kind: DataReference['kind']): void {
    if (this.informers.has(kind)) return
    let synced = false
    const changed = (object: KubeObject, previous?: KubeObject) => {
      if (synced && object.metadata.resourceVersion !== previous?.metadata.resourceVersion)
        this.wake(keyOf({ kind, namespace: object.metadata.namespace ?? '', name: object.metadata.name }))
    }
    const informer = startInformer(this.kube, {
      gvk: { group: '', version: 'v1', kind },
      metadataOnly: true,
      signal: this.options.signal,
      transform: ({ metadata: { namespace, name, resourceVersion } }) =>
        ({ metadata: { namespace, name, resourceVersion } }) as KubeObject,
      onUpsert: changed,
      onDelete: (object) => changed(object),
      // What was read before the first list may have changed since.
      onSync: () => {
        if (!synced) for (const key of this.owners.keys()) if (key.startsWith(`${kind}/`)) this.wake(key)
        synced = true
      },
      onError: this.options.onError,
    })
    this.informers.set(kind, informer)
  }

  private wake(key: string): void {
    for (const owner of this.owners.get(key) ?? []) this.options.onChange(owner)
  }
}

const keyOf = ({ kind, namespace, name }: DataReference): string => `${kind}/${namespace}/${name}`
