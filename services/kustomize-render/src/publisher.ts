import { isDeepStrictEqual } from 'node:util'
import type { BuiltSet } from '@setpoint/build'
import type { Bus } from '@setpoint/bus'
import {
  type RenderedMessage,
  type RenderedSet,
  renderedMessage,
  seal,
  sealedSetName,
  subjects,
} from '@setpoint/contracts'
import type { Results } from './results.ts'

const BUCKET = 'setpoint-rendered'

/** Stores sealed sets and tells apply of them. What is on the bus already is not sent again. */
export class Publisher {
  private readonly bus: Bus
  private readonly sealingKey: Uint8Array
  private readonly results: Results
  private readonly historyOf: (key: string) => readonly string[]
  /** Set objects that a newer message has replaced; deleted one message later, when nobody can be reading them. */
  private readonly replaced = new Map<string, string>()
  /** Set objects that are stored and that no message names yet. */
  private readonly unannounced = new Map<string, string>()
  /** Set objects that are known to be stored, by Kustomization. */
  private readonly stored = new Map<string, string>()

  /** historyOf: the digests in the history of a Kustomization. Their sets are kept, so that it can be rolled back to them. */
  constructor(
    bus: Bus,
    sealingKey: Uint8Array,
    results: Results,
    historyOf: (key: string) => readonly string[],
  ) {
    this.bus = bus
    this.sealingKey = sealingKey
    this.results = results
    this.historyOf = historyOf
  }

  /** Seals and stores a set, unless the last message names the very same one, sealed with the same key. */
  async store(key: string, set: BuiltSet): Promise<RenderedSet> {
    const last = this.results.message(key)?.set
    const name = sealedSetName(this.sealingKey, key, set.digest)
    if (last?.digest === set.digest && last.sealed.object === name && (await this.isStored(key, last)))
      return last
    this.unannounced.set(key, name)
    const sealed = await this.bus.bytes.put(BUCKET, name, seal(this.sealingKey, set.bytes, key))
    this.stored.set(key, name)
    return { digest: set.digest, objects: set.objects, sealed }
  }

  /** What others have said is not proof: NATS may have lost its state between the set and the message. */
  private async isStored(key: string, { sealed }: RenderedSet): Promise<boolean> {
    const { object = '' } = sealed
    if (this.stored.get(key) === object) return true
    const found = await this.bus.bytes.find(BUCKET, object)
    if (found?.digest !== sealed.digest) return false
    this.stored.set(key, object)
    return true
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

  /** Deletes stored sets of our own Kustomizations that neither a message nor a history names. */
  async sweep(isOwn: (key: string) => boolean): Promise<void> {
    const names = await this.bus.bytes.names(BUCKET)
    const inUse = this.inUse()
    for (const name of names)
      if (isOwn(keyOfName(name)) && !inUse.has(name)) await this.bus.bytes.delete(BUCKET, name)
  }

  /** Another replica works on the Kustomization from now on. */
  forget(key: string): void {
    this.replaced.delete(key)
    this.unannounced.delete(key)
    this.stored.delete(key)
  }

  /** NATS has lost its state. */
  forgetStored(): void {
    this.stored.clear()
  }

  private inUse(): Set<string> {
    const { results, replaced, unannounced } = this
    const inHistory = results
      .messages()
      .flatMap(({ namespace, name }) => this.keptFor(`${namespace}/${name}`))
    return new Set([...results.storedObjects(), ...replaced.values(), ...unannounced.values(), ...inHistory])
  }

  private keptFor(key: string): string[] {
    return this.historyOf(key).map((digest) => sealedSetName(this.sealingKey, key, digest))
  }

  /** A Kustomization is gone: so are its message and its sets. */
  async remove(key: string, last: RenderedMessage): Promise<void> {
    this.unannounced.delete(key)
    this.stored.delete(key)
    await this.bus.forget(subjects.rendered(last))
    if (last.set?.sealed.object !== undefined) await this.bus.bytes.delete(BUCKET, last.set.sealed.object)
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
    if (older !== undefined && older !== now && !this.keptFor(key).includes(older))
      await this.bus.bytes.delete(BUCKET, older)
    if (before !== undefined) this.replaced.set(key, before)
  }
}

/** The Kustomization in the name of a stored set, `<namespace>.<name>.<tag>`; only its name may have dots. */
function keyOfName(name: string): string {
  const [namespace = '', ...rest] = name.split('.')
  return `${namespace}/${rest.slice(0, -1).join('.')}`
}
