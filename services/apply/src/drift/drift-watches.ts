import { OWNER_NAME_LABEL } from '@setpoint/contracts'
import { type Informer, type KubeClient, NoMatchError, startInformer } from '@setpoint/kube'
import { type GroupVersionKind, inventoryId, type KubeObject, refOf } from '@setpoint/manifest'
import { ownerKeyOf } from '../switches.ts'
import { fingerprintOf } from './fingerprint.ts'

/** What a watch says of one object that carries owner labels. */
export interface Seen {
  id: string
  uid: string
  resourceVersion: string
  fingerprint: string
  /** `<namespace>/<name>` of the Kustomization that the labels name. */
  owner: string | undefined
}

export interface DriftListener {
  onSeen(seen: Seen): void
  onGone(seen: Seen): void
  /** The objects of a kind were listed in full. */
  onListed(kind: GroupVersionKind, has: (namespace: string, name: string) => boolean): void
  onError(kind: GroupVersionKind, error: unknown): void
}

interface KindWatch {
  informer: Informer
  holders: Set<string>
}

/**
 * One metadata watch for each kind that some Kustomization manages, over the objects with owner labels.
 * Keeps a few hundred bytes for each of them.
 */
export class DriftWatches {
  private readonly kube: KubeClient
  private readonly signal: AbortSignal
  private readonly listener: DriftListener
  private readonly watches = new Map<string, KindWatch>()

  constructor(kube: KubeClient, signal: AbortSignal, listener: DriftListener) {
    this.kube = kube
    this.signal = signal
    this.listener = listener
  }

  /** Says which kinds a Kustomization manages now. Watches open and close as needed. */
  hold(key: string, kinds: readonly GroupVersionKind[]): void {
    const wanted = new Map(kinds.map((kind) => [kindKey(kind), kind]))
    for (const [name, kind] of wanted) this.open(name, kind).holders.add(key)
    for (const [name, watch] of this.watches)
      if (!wanted.has(name) && watch.holders.delete(key) && watch.holders.size === 0) this.close(name, watch)
  }

  release(key: string): void {
    this.hold(key, [])
  }

  /** The watch of a kind is up: what changes is seen. */
  sees(kind: GroupVersionKind): boolean {
    return this.watches.get(kindKey(kind))?.informer.healthy === true
  }

  get size(): number {
    return this.watches.size
  }

  private open(name: string, kind: GroupVersionKind): KindWatch {
    const open = this.watches.get(name)
    if (open !== undefined) return open
    const watch = { informer: this.start(kind), holders: new Set<string>() }
    this.watches.set(name, watch)
    return watch
  }

  private close(name: string, watch: KindWatch): void {
    watch.informer.stop()
    this.watches.delete(name)
  }

  private start(kind: GroupVersionKind): Informer {
    const informer: Informer = startInformer(this.kube, {
      gvk: kind,
      metadataOnly: true,
      labelSelector: OWNER_NAME_LABEL,
      signal: this.signal,
      transform: slim,
      onUpsert: (object) => this.listener.onSeen(seenOf(object)),
      onDelete: (object) => this.listener.onGone(seenOf(object)),
      onSync: () => queueMicrotask(() => this.listed(kind, informer)),
      onError: (error) => {
        // A kind whose definition is gone: its objects are gone with it.
        if (!(error instanceof NoMatchError)) this.listener.onError(kind, error)
      },
    })
    return informer
  }

  private listed(kind: GroupVersionKind, informer: Informer): void {
    this.listener.onListed(kind, (namespace, name) => informer.get(namespace, name) !== undefined)
  }
}

export function kindKey(kind: GroupVersionKind): string {
  return `${kind.group}/${kind.version}/${kind.kind}`
}

export function kindOf(object: { ref: { group: string; kind: string }; version: string }): GroupVersionKind {
  return { group: object.ref.group, version: object.version, kind: object.ref.kind }
}

/** What is kept of a watched object. */
function slim(object: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion } = object.metadata
  const metadata = { name, namespace, uid, resourceVersion } as KubeObject['metadata']
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata,
    fingerprint: fingerprintOf(object.metadata),
    owner: ownerKeyOf(object.metadata),
  }
}

function seenOf(object: KubeObject): Seen {
  const { uid = '', resourceVersion = '' } = object.metadata
  const { fingerprint, owner } = object as unknown as Pick<Seen, 'fingerprint' | 'owner'>
  return { id: inventoryId(refOf(object)), uid, resourceVersion, fingerprint, owner }
}
