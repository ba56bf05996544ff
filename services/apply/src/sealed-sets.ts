import { type Bus, BusError } from '@setpoint/bus'
import {
  OWNER_NAME_LABEL,
  OWNER_NAMESPACE_LABEL,
  type RenderedSet,
  type StoredBytes,
  sealedSetName,
  unseal,
} from '@setpoint/contracts'
import { describeRef, type KubeObject, parseJson, refOf } from '@setpoint/manifest'
import { ReconcileError } from '@setpoint/reconcile'
import { markConfidential } from './confidential.ts'

interface Content {
  objects: KubeObject[]
  /** Positions of those that no message may quote. */
  confidential?: number[]
}

/** Sealed sets that are kept, so that drift can be healed while NATS is away. They stay sealed in memory, too. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024
const MAX_KEPT_SET_BYTES = 2 * 1024 * 1024

/** The stored set is gone or damaged: the render service will say where a new one is. */
export class SetNotThere extends Error {
  override name = 'SetNotThere'
}

/** Fetches and opens rendered sets. */
export class SealedSets {
  private readonly bus: Bus
  private readonly sealingKey: Uint8Array
  private readonly kept = new Map<string, Uint8Array>()
  private keptBytes = 0

  constructor(bus: Bus, sealingKey: Uint8Array) {
    this.bus = bus
    this.sealingKey = sealingKey
  }

  /**
   * The objects of a set that was rendered for the Kustomization `<namespace>/<name>`.
   * @throws SetNotThere when a newer message must be waited for; BusError when NATS is away; SealError for a wrong key.
   */
  async open(key: string, set: RenderedSet): Promise<KubeObject[]> {
    const sealed = this.recall(set.sealed.digest) ?? (await this.fetch(set))
    const text = Buffer.from(unseal(this.sealingKey, sealed, key)).toString('utf8')
    const { objects, confidential: positions = [] } = parseJson(text) as unknown as Content
    checkWhole(key, set, objects)
    for (const object of objects) checkOwner(key, object)
    const confidential = new Set(positions)
    for (const [index, object] of objects.entries()) if (confidential.has(index)) markConfidential(object)
    return objects
  }

  /** Where the set with a digest is stored, undefined when it is not. */
  find(key: string, digest: string): Promise<StoredBytes | undefined> {
    return this.bus.bytes.find('setpoint-rendered', sealedSetName(this.sealingKey, key, digest))
  }

  private async fetch(set: RenderedSet): Promise<Uint8Array> {
    try {
      const sealed = await this.bus.bytes.get('setpoint-rendered', set.sealed)
      this.keep(set.sealed.digest, sealed)
      return sealed
    } catch (cause) {
      if (cause instanceof BusError && (cause.code === 'NotFound' || cause.code === 'Damaged'))
        throw new SetNotThere(cause.message, { cause })
      throw cause
    }
  }

  private recall(digest: string): Uint8Array | undefined {
    const sealed = this.kept.get(digest)
    if (sealed === undefined) return undefined
    this.kept.delete(digest)
    this.kept.set(digest, sealed)
    return sealed
  }

  private keep(digest: string, sealed: Uint8Array): void {
    if (sealed.length > MAX_KEPT_SET_BYTES) return
    this.kept.set(digest, sealed)
    this.keptBytes += sealed.length
    for (const [oldest, bytes] of this.kept) {
      if (this.keptBytes <= MAX_KEPT_BYTES) return
      this.kept.delete(oldest)
      this.keptBytes -= bytes.length
    }
  }
}

/** A set that lost a part on its way would prune what it lost. */
function checkWhole(key: string, set: RenderedSet, objects: readonly KubeObject[]): void {
  if (objects.length >= set.objects) return
  throw new ReconcileError(
    'ReconciliationFailed',
    `the rendered set of ${key} holds ${objects.length} objects, but ${set.objects} were announced; nothing was applied`,
  )
}

/** Without its owner labels an object could be neither watched nor pruned: such a set is a fault of the renderer. */
function checkOwner(key: string, object: KubeObject): void {
  const labels = object.metadata.labels ?? {}
  if (labels[OWNER_NAME_LABEL] !== undefined && labels[OWNER_NAMESPACE_LABEL] !== undefined) return
  throw new ReconcileError(
    'ReconciliationFailed',
    `${describeRef(refOf(object))} of the rendered set of ${key} has no owner labels`,
  )
}
