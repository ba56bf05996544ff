import type { KubeObject } from '@setpoint/manifest'

/** How a store tells what changed. */
export interface StoreListener {
  onUpsert(object: KubeObject, previous?: KubeObject): void
  onDelete(object: KubeObject): void
}

/** The objects that an informer knows, by namespace and name. Tells its listener of real changes only. */
export class ObjectStore {
  readonly #objects = new Map<string, KubeObject>()
  readonly #listener: StoreListener

  constructor(listener: StoreListener) {
    this.#listener = listener
  }

  get(namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(`${namespace}/${name}`)
  }

  list(): KubeObject[] {
    return [...this.#objects.values()]
  }

  upsert(object: KubeObject): void {
    const key = keyOf(object)
    const previous = this.#objects.get(key)
    if (previous && isSame(previous, object)) return
    this.#objects.set(key, object)
    // Another uid is another object: the one that was known is gone, even if the watch was away when it went.
    if (previous && previous.metadata.uid !== object.metadata.uid) {
      this.#listener.onDelete(previous)
      this.#listener.onUpsert(object)
    } else {
      this.#listener.onUpsert(object, previous)
    }
  }

  delete(object: KubeObject): void {
    if (this.#objects.delete(keyOf(object))) this.#listener.onDelete(object)
  }

  /** Takes a full list: what is not in it is gone. */
  replace(objects: KubeObject[]): void {
    const present = new Set(objects.map(keyOf))
    const gone = [...this.#objects].filter(([key]) => !present.has(key))
    for (const [, object] of gone) this.delete(object)
    for (const object of objects) this.upsert(object)
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function isSame(known: KubeObject, object: KubeObject): boolean {
  return (
    known.metadata.uid === object.metadata.uid &&
    known.metadata.resourceVersion === object.metadata.resourceVersion
  )
}
