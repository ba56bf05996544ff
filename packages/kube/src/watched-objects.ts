import type { KubeObject } from '@setpoint/manifest'
import type { KindRef, KubeClient } from './client-types.ts'
import { type Informer, startInformer } from './informer.ts'

export interface ObjectListener<T> {
  onUpsert?(key: string, object: T, previous: T | undefined): void
  onDelete?(key: string): void
  /** The watch is established again after it had failed. */
  onRestored?(): void
  onError(error: unknown): void
}

export interface ObjectSelection {
  gvk: KindRef
  signal: AbortSignal
  /** Empty: all. */
  labelSelector?: string
}

/** All objects of a kind as they are now: what the watch says, or what our own last write answered when that is newer. */
export class WatchedObjects<T extends KubeObject> {
  private readonly informer: Informer
  private readonly written = new Map<string, T>()
  private readonly kube: KubeClient
  private readonly selection: ObjectSelection

  constructor(kube: KubeClient, selection: ObjectSelection, listener: ObjectListener<T>) {
    this.kube = kube
    this.selection = selection
    this.informer = startInformer(kube, {
      gvk: selection.gvk,
      signal: selection.signal,
      labelSelector: selection.labelSelector || undefined,
      transform: withoutManagedFields,
      onUpsert: (object, previous) => {
        const key = keyOf(object)
        const own = this.written.get(key)
        if (own !== undefined && isNewer(object, own)) this.written.delete(key)
        listener.onUpsert?.(key, object as T, previous as T | undefined)
      },
      onDelete: (object) => {
        this.written.delete(keyOf(object))
        listener.onDelete?.(keyOf(object))
      },
      onRestored: () => listener.onRestored?.(),
      onError: listener.onError,
    })
  }

  get synced(): Promise<void> {
    return this.informer.synced
  }

  get healthy(): boolean {
    return this.informer.healthy
  }

  /** @param key `namespace/name` */
  get(key: string): T | undefined {
    const seen = this.seen(key)
    const own = this.written.get(key)
    if (seen === undefined) return undefined
    return own !== undefined && own.metadata.uid === seen.metadata.uid ? own : seen
  }

  list(): T[] {
    return this.keys().flatMap((key) => this.get(key) ?? [])
  }

  keys(): string[] {
    return this.informer.list().map(keyOf)
  }

  /** Asks for all of them, for the watch may be behind what others have written. @throws KubeApiError, KubeUnreachableError */
  async refresh(): Promise<void> {
    const { gvk, signal, labelSelector } = this.selection
    const selector = labelSelector ? { labelSelector } : {}
    for (const object of await this.kube.list(gvk, { signal, ...selector })) this.wrote(object)
  }

  /** Notes the answer to a write of ours, which the watch may not have shown yet. */
  wrote(object: KubeObject): T {
    const own = withoutManagedFields(object) as T
    const key = keyOf(own)
    const seen = this.seen(key)
    if (seen === undefined || !isNewer(seen, own)) this.written.set(key, own)
    return own
  }

  private seen(key: string): T | undefined {
    const [namespace = '', name = ''] = key.split('/')
    return this.informer.get(namespace, name) as T | undefined
  }
}

/** `namespace/name`. */
export function keyOf(object: { metadata: { namespace?: string; name: string } }): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}

/** Resource versions of the API server are numbers that grow. */
function isNewer(seen: KubeObject, own: KubeObject): boolean {
  return (
    seen.metadata.uid !== own.metadata.uid ||
    Number(seen.metadata.resourceVersion) >= Number(own.metadata.resourceVersion)
  )
}

function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _managedFields, ...metadata } = object.metadata
  return { ...object, metadata: metadata as KubeObject['metadata'] }
}
