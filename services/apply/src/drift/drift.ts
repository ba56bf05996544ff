import type { GroupVersionKind } from '@setpoint/manifest'
import type { Known, KnownObject, Memory } from '../known.ts'
import { type DriftListener, kindKey, kindOf, type Seen } from './drift-watches.ts'
import { compareVersions } from './fingerprint.ts'

export interface DriftActions {
  /** An object of the Kustomization has to be looked at. */
  heal(key: string, known: Known): void
  /** The status of an object whose health is waited for may have changed. */
  healthChanged(key: string): void
  onError(kind: GroupVersionKind, error: unknown): void
}

/** Turns what the watches see into work: an edit or a deletion that was not ours. Echoes of our own writes cost nothing. */
export function driftListener(memory: Memory, actions: DriftActions, cluster = ''): DriftListener {
  return {
    onSeen: (seen) =>
      onHeld(memory, cluster, seen, (key, known, object) => noteSeen(key, known, object, seen, actions)),
    onGone: (seen) =>
      onHeld(memory, cluster, seen, (key, known, object) => noteGone(key, known, object, seen, actions)),
    onListed: (kind, has) => noteMissing(memory, cluster, kind, has, actions),
    onError: actions.onError,
  }
}

function onHeld(
  memory: Memory,
  cluster: string,
  seen: Seen,
  note: (key: string, known: Known, object: KnownObject) => void,
): void {
  const key = memory.holderOf(seen.id, cluster)
  const known = key === undefined ? undefined : memory.find(key)
  if (key === undefined || known === undefined) return
  const object = known.objects.get(seen.id)
  if (object !== undefined) note(key, known, object)
  // The run that looks at it compares: it may be the echo of its own write.
  else if (known.expected.has(seen.id)) known.touched.set(seen.id, Number(seen.resourceVersion))
}

function noteSeen(key: string, known: Known, object: KnownObject, seen: Seen, actions: DriftActions): void {
  noteHealth(key, known, seen, actions)
  if (compareVersions(seen.resourceVersion, object.resourceVersion) <= 0) return
  if (seen.uid === object.uid && seen.fingerprint === object.fingerprint) {
    object.resourceVersion = seen.resourceVersion
    return
  }
  // Another Kustomization has taken it: two that fight at the speed of watches help nobody, the interval decides.
  if (seen.owner !== key) return
  touch(key, known, seen.id, seen.resourceVersion, actions)
}

function noteGone(key: string, known: Known, object: KnownObject, seen: Seen, actions: DriftActions): void {
  noteHealth(key, known, seen, actions)
  if (seen.uid !== object.uid) return
  touch(key, known, seen.id, seen.resourceVersion, actions)
}

/** A deletion before the first list is seen by nobody else. */
function noteMissing(
  memory: Memory,
  cluster: string,
  kind: GroupVersionKind,
  has: (namespace: string, name: string) => boolean,
  actions: DriftActions,
): void {
  for (const [key, known] of memory.entries())
    for (const [id, object] of known.cluster === cluster ? known.objects : []) {
      if (kindKey(kindOf(object)) !== kindKey(kind) || has(object.ref.namespace, object.ref.name)) continue
      touch(key, known, id, object.resourceVersion, actions)
    }
}

function touch(key: string, known: Known, id: string, resourceVersion: string, actions: DriftActions): void {
  known.touched.set(id, Number(resourceVersion))
  actions.heal(key, known)
}

function noteHealth(key: string, known: Known, seen: Seen, actions: DriftActions): void {
  const target = known.health?.targets.get(seen.id)
  if (target === undefined || compareVersions(seen.resourceVersion, target.resourceVersion) <= 0) return
  known.health?.dirty.add(seen.id)
  actions.healthChanged(key)
}

const BURST = 100
const HEALS_PER_SECOND = 2

/** How many heals may follow one another at once, so that a fight with another writer slows down. at: ms since the epoch. */
export interface HealAllowance {
  left: number
  at: number
}

export function fullAllowance(now: number): HealAllowance {
  return { left: BURST, at: now }
}

/** How long to wait before drift is healed again: nothing, unless another writer keeps undoing it. */
export function healDelayMs(allowance: HealAllowance, now: number): number {
  const { left } = refilled(allowance, now)
  return left >= 1 ? 0 : ((1 - left) / HEALS_PER_SECOND) * 1_000
}

export function countHeal(allowance: HealAllowance, now: number): HealAllowance {
  const { left } = refilled(allowance, now)
  return { left: Math.max(0, left - 1), at: now }
}

function refilled({ left, at }: HealAllowance, now: number): HealAllowance {
  return { left: Math.min(BURST, left + ((now - at) / 1_000) * HEALS_PER_SECOND), at: now }
}
