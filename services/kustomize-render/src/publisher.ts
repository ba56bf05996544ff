import { createHmac } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { BuiltSet } from '@setpoint/build'
import type { Bus } from '@setpoint/bus'
import { type RenderedMessage, type RenderedSet, renderedMessage, seal, subjects } from '@setpoint/contracts'
import type { Results } from './results.ts'

const BUCKET = 'setpoint-rendered'

/** Stores sealed sets and tells apply of them. What is on the bus already is not sent again. */
export class Publisher {
  private readonly bus: Bus
  private readonly sealingKey: Uint8Array
  private readonly results: Results
  /** Set objects that a newer message has replaced; deleted one message later, when nobody can be reading them. */
  private readonly replaced = new Map<string, string>()
  /** Set objects that are stored and that no message names yet. */
  private readonly unannounced = new Map<string, string>()

  constructor(bus: Bus, sealingKey: Uint8Array, results: Results) {
    this.bus = bus
    this.sealingKey = sealingKey
    this.results = results
  }

  /** Seals and stores a set, unless the last message names the very same one, sealed with the same key. */
  async store(key: string, set: BuiltSet): Promise<RenderedSet> {
    const last = this.results.message(key)?.set
    const name = this.nameOf(key, set.digest)
    if (last?.digest === set.digest && last.sealed.object === name) return last
    this.unannounced.set(key, name)
    const sealed = await this.bus.putBytes(BUCKET, name, seal(this.sealingKey, set.bytes, key))
    return { digest: set.digest, objects: set.objects, sealed }
  }

  /** True when a message went out. @throws BusError when NATS is away. */
  async publish(key: string, message: RenderedMessage, traceId: string): Promise<boolean> {
    const last = this.results.message(key)
    if (last !== undefined && isDeepStrictEqual(last, message)) return false
    await this.bus.publish(renderedMessage, subjects.rendered(message), message, { traceId })
    this.results.keepMessage(key, message)
    this.unannounced.delete(key)
    await this.deleteReplaced(key, last?.set?.sealed.object, message.set?.sealed.object)
    return true
  }

  /** Deletes stored sets that no message names. */
  async sweep(): Promise<void> {
    for (const name of await this.bus.listBytes(BUCKET))
      if (!this.inUse().has(name)) await this.bus.deleteBytes(BUCKET, name)
  }

  private inUse(): Set<string> {
    return new Set([...this.results.storedObjects(), ...this.replaced.values(), ...this.unannounced.values()])
  }

  /** Another key gives another name: a new cluster that meets the NATS of an old one does not take its sets for its own. */
  private nameOf(key: string, digest: string): string {
    const tag = createHmac('sha256', this.sealingKey).update(digest).digest('hex').slice(0, 16)
    return `${key.replace('/', '.')}.${tag}`
  }

  /** A Kustomization is gone: so are its message and its sets. */
  async remove(key: string, last: RenderedMessage): Promise<void> {
    this.unannounced.delete(key)
    await this.bus.forget(subjects.rendered(last))
    if (last.set?.sealed.object !== undefined) await this.bus.deleteBytes(BUCKET, last.set.sealed.object)
    await this.deleteReplaced(key, undefined, undefined)
  }

  private async deleteReplaced(
    key: string,
    before: string | undefined,
    now: string | undefined,
  ): Promise<void> {
    if (before === now && before !== undefined) return
    const older = this.replaced.get(key)
    this.replaced.delete(key)
    if (older !== undefined && older !== now) await this.bus.deleteBytes(BUCKET, older)
    if (before !== undefined) this.replaced.set(key, before)
  }
}
