import type { KubeObject } from '@setpoint/manifest'
import type { KindRef, KubeClient } from './client-types.ts'

export interface InformerOptions {
  gvk: KindRef
  /** Without it: all namespaces. */
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
  /** Watch metadata alone; apiVersion and kind are still those of the object. */
  metadataOnly?: boolean | undefined
  /** Stops the informer. */
  signal: AbortSignal
  /** What to keep of an object, for example without managedFields. Without it all is kept. */
  transform?(object: KubeObject): KubeObject
  /** An object appeared (no previous) or changed. */
  onUpsert(object: KubeObject, previous?: KubeObject): void
  /** An object is gone; its last known state. Also called for what vanished while the watch was away. */
  onDelete(object: KubeObject): void
  /** A full list has been delivered; called again after each later full list. */
  onSync?(): void
  /** A list or watch failed, or a callback threw. The informer goes on by itself, after a back-off. */
  onError?(error: unknown): void
}

export interface Informer {
  /** Settles after the first full list; rejects when the informer is stopped before. */
  readonly synced: Promise<void>
  /** The watch is established now. */
  readonly healthy: boolean
  get(namespace: string, name: string): KubeObject | undefined
  list(): KubeObject[]
  stop(): void
}

export function startInformer(_client: KubeClient, _options: InformerOptions): Informer {
  throw new Error('not built yet')
}
