import type { OutcomeMessage } from '@setpoint/contracts'
import type { ObjectRef } from '@setpoint/manifest'
import { fullAllowance, type HealAllowance } from './drift/drift.ts'
import type { DriftReport } from './drift/drift-report.ts'
import type { Fight } from './drift/fights.ts'
import type { PendingHealth } from './health/pending.ts'

/** What was applied of one object, and how it looked then. */
export interface KnownObject {
  ref: ObjectRef
  version: string
  /** Digest of the desired object. */
  hash: string
  /** Digest of who had set what on the live object right after. */
  fingerprint: string
  uid: string
  resourceVersion: string
}

/** An object that two Kustomizations declare and the other one holds. */
export interface Contested {
  /** Such as `ConfigMap/apps/settings`. */
  object: string
  /** Key of the other Kustomization. */
  holder: string
  /** What is wanted here is not what is there. */
  differs: boolean
}

/**
 * What this process remembers of one Kustomization. All of it can be lost: after a restart one full check
 * finds out the same.
 */
export interface Known {
  /** The Kustomization's own uid: another one of the same name is another object. */
  uid: string
  /** URL of the cluster that it is applied to; '' for the own one. */
  cluster: string
  /** By which connection, and as whom. */
  access: string
  /** Digest and generation of the set that is in place; undefined when that is not sure. */
  digest: string | undefined
  generation: number
  /** What is in place, by inventory id. */
  objects: Map<string, KnownObject>
  /** Objects that a run looks at for the first time: what a watch sees of them meanwhile counts. */
  expected: Set<string>
  /** Objects that a watch saw change, with the resource version it saw. */
  touched: Map<string, number>
  /** When the objects are to be checked again although nothing seems to have changed: ms since the epoch. */
  nextCheckAt: number
  /** Counts the checks at the interval: each asks about some of the objects. */
  round: number
  /** A check that somebody asked for. */
  checkWanted: boolean
  health: PendingHealth | undefined
  /** Since when something that takes moments is waited for, such as the render service: ms since the epoch. */
  waitingSince: number | undefined
  /** The failure that was told last, so that a retry does not tell it again. */
  toldFailure: string
  /** The set is in place, but what has left it is not pruned yet. */
  pruneDue: boolean
  /** Why nothing is pruned before somebody approves it. */
  pruneBlocked: string | undefined
  /** Since when other Kustomizations are waited for that may declare what left the set: ms since the epoch. */
  handOverSince: number | undefined
  /** Objects that another Kustomization holds, by inventory id. */
  contested: Map<string, Contested>
  /** What differs from Git and is left so, by inventory id. */
  tolerated: Map<string, DriftReport>
  /** Who keeps undoing what Git says, by inventory id. */
  fights: Map<string, Fight>
  /** The API server took long to answer about some object of this Kustomization, in the last run. */
  sluggish: boolean
  /** Some objects of the set were refused, the others are in place. */
  incomplete: boolean
  /** The request annotation that the last full check answers. */
  checkedRequest: string
  /** How fast drift may be healed. */
  heals: HealAllowance
  outcome: OutcomeMessage | undefined
}

export function newKnown(uid: string): Known {
  return {
    uid,
    cluster: '',
    access: ' ',
    digest: undefined,
    generation: 0,
    objects: new Map(),
    expected: new Set(),
    touched: new Map(),
    nextCheckAt: 0,
    round: 0,
    checkWanted: false,
    health: undefined,
    waitingSince: undefined,
    toldFailure: '',
    pruneDue: false,
    pruneBlocked: undefined,
    handOverSince: undefined,
    contested: new Map(),
    tolerated: new Map(),
    fights: new Map(),
    sluggish: false,
    incomplete: false,
    checkedRequest: '',
    heals: fullAllowance(0),
    outcome: undefined,
  }
}

/** The memory of every Kustomization, and which of them holds an object. */
export class Memory {
  private readonly byKey = new Map<string, Known>()
  private readonly holders = new Map<string, string>()

  /** What is known of a Kustomization; nothing yet when it is new or was made anew. */
  of(key: string, uid: string): Known {
    const found = this.byKey.get(key)
    if (found?.uid === uid) return found
    this.forget(key)
    const known = newKnown(uid)
    this.byKey.set(key, known)
    return known
  }

  find(key: string): Known | undefined {
    return this.byKey.get(key)
  }

  /** Who applied an object last. cluster: as in Known. */
  holderOf(id: string, cluster = ''): string | undefined {
    return this.holders.get(holderKey(cluster, id))
  }

  /** From now on it is applied to another cluster: what was known of objects is of no use there. */
  move(key: string, known: Known, cluster: string): void {
    for (const id of [...known.objects.keys(), ...known.expected]) this.drop(key, known, id)
    known.cluster = cluster
    known.digest = undefined
    known.health = undefined
    known.touched.clear()
  }

  /** A run begins to look at objects. Those that another Kustomization holds stay with it. */
  expect(key: string, known: Known, ids: readonly string[]): void {
    for (const id of ids) {
      const held = holderKey(known.cluster, id)
      if (known.objects.has(id) || this.holders.has(held)) continue
      this.holders.set(held, key)
      known.expected.add(id)
    }
  }

  /** The run is over: what it did not remember is nobody's. */
  expectNothing(key: string, known: Known): void {
    for (const id of [...known.expected]) this.drop(key, known, id)
  }

  /** Returns whether a watch has seen a later state of the object already. */
  remember(key: string, known: Known, id: string, object: KnownObject): boolean {
    known.objects.set(id, object)
    known.expected.delete(id)
    this.holders.set(holderKey(known.cluster, id), key)
    const touchedAt = known.touched.get(id)
    if (touchedAt === undefined || touchedAt > Number(object.resourceVersion)) return touchedAt !== undefined
    known.touched.delete(id)
    return false
  }

  drop(key: string, known: Known, id: string): void {
    known.objects.delete(id)
    known.expected.delete(id)
    known.touched.delete(id)
    const held = holderKey(known.cluster, id)
    if (this.holders.get(held) === key) this.holders.delete(held)
  }

  forget(key: string): void {
    const known = this.byKey.get(key)
    if (known === undefined) return
    for (const id of [...known.objects.keys(), ...known.expected]) this.drop(key, known, id)
    this.byKey.delete(key)
  }

  entries(): IterableIterator<[string, Known]> {
    return this.byKey.entries()
  }
}

/** Objects of different clusters may have the same id. */
function holderKey(cluster: string, id: string): string {
  return `${cluster} ${id}`
}
