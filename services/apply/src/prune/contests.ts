import { findCondition } from '@setpoint/conditions'
import { CONDITION, type Kustomization } from '@setpoint/contracts'

/** One object that two Kustomizations declare. */
export interface Contest {
  /** Such as `ConfigMap/apps/settings`. */
  object: string
  /** `<namespace>/<name>` of the one whose labels the object has. */
  holder: string
  /** The one that leaves the object alone meanwhile. */
  taker: string
}

/** The line that both have in their condition Conflict. */
export function contestLine({ object, holder, taker }: Contest): string {
  return `${object} is declared by Kustomization ${holder} and by Kustomization ${taker}; ${holder} holds it until one of the two drops it`
}

const LINE = /^(\S+) is declared by Kustomization (\S+) and by Kustomization (\S+); /

/**
 * Who contests whose objects. What the taker says in its status is the message to the holder, so that it holds after a
 * restart and whichever process works on either of them.
 */
export class Contests {
  private readonly byTaker = new Map<string, Contest[]>()
  private readonly takers = new Map<string, Set<string>>()

  /** Notes what a taker's status says. Returns the holders for which something has changed. */
  note(key: string, kustomization: Kustomization | undefined): string[] {
    const message = findCondition(kustomization?.status?.conditions, CONDITION.conflict)?.message ?? ''
    const next = message.split('\n').flatMap((line) => contestOf(line, key))
    const before = this.byTaker.get(key) ?? []
    if (next.length === 0 && before.length === 0) return []
    if (next.length === 0) this.byTaker.delete(key)
    else this.byTaker.set(key, next)
    const holders = new Set([...before, ...next].map(({ holder }) => holder))
    for (const holder of before.map((contest) => contest.holder)) this.takers.get(holder)?.delete(key)
    for (const { holder } of next) this.await(key, holder)
    return same(before, next) ? [] : [...holders]
  }

  /** A taker has found the holder of an object; it wants to know when that lets go. */
  await(taker: string, holder: string): void {
    const takers = this.takers.get(holder) ?? new Set()
    this.takers.set(holder, takers.add(taker))
  }

  /** Those that wait for a holder to let go of something. */
  takersOf(holder: string): Iterable<string> {
    return this.takers.get(holder) ?? []
  }

  /** What others say that they declare, too. */
  against(holder: string): Contest[] {
    return [...this.takersOf(holder)].flatMap((taker) =>
      (this.byTaker.get(taker) ?? []).filter((contest) => contest.holder === holder),
    )
  }
}

function contestOf(line: string, key: string): Contest[] {
  const [, object = '', holder = '', taker = ''] = LINE.exec(line) ?? []
  return taker === key ? [{ object, holder, taker }] : []
}

function same(a: readonly Contest[], b: readonly Contest[]): boolean {
  return a.map(contestLine).join('\n') === b.map(contestLine).join('\n')
}
