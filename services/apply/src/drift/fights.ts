import type { DriftReport } from './drift-report.ts'

/** Somebody who keeps undoing what Git says of one object. */
export interface Fight {
  /** The last thing that was healed. */
  report: DriftReport
  /** Heals that followed one another closely. */
  heals: number
  /** When the last one was: ms since the epoch. */
  at: number
  /** Until when the object is left as the other wants it: ms since the epoch. */
  pausedUntil: number
}

/** So many heals in a row are no longer somebody trying things out. */
const HEALS_OF_A_FIGHT = 5
const CLOSE_MS = 30_000
const MIN_PAUSE_MS = 5_000
const MAX_PAUSE_MS = 10 * 60_000

/** The fight after one more heal of the same object. Pure. */
export function afterHeal(before: Fight | undefined, report: DriftReport, now: number): Fight {
  const isClose = before !== undefined && now < quietAt(before)
  const heals = isClose && sameRivals(before.report, report) ? before.heals + 1 : 1
  return { report, heals, at: now, pausedUntil: now + pauseOf(heals) }
}

/** It goes on: the other has undone enough heals, and has not been quiet since. */
export function isFight({ heals, at }: Pick<Fight, 'heals' | 'at'>, now: number): boolean {
  return heals >= HEALS_OF_A_FIGHT && now >= at && now < quietAt({ heals, at })
}

function quietAt({ heals, at }: Pick<Fight, 'heals' | 'at'>): number {
  return at + pauseOf(heals) * 2 + CLOSE_MS
}

/** The object is not to be healed now, so that two writers do not wear out the API server. A clock that jumped back ends it. */
export function isPaused(fight: Fight | undefined, now: number): boolean {
  return fight !== undefined && now >= fight.at && now < fight.pausedUntil
}

/** When a pause or a whole fight ends: ms since the epoch, Infinity when there is none. */
export function nextHealAt(
  { touched, fights }: { touched: ReadonlyMap<string, unknown>; fights: ReadonlyMap<string, Fight> },
  now: number,
): number {
  const ends = [...fights]
    .filter(([, fight]) => isFight(fight, now))
    .map(([id, fight]) => (touched.has(id) && isPaused(fight, now) ? fight.pausedUntil : quietAt(fight)))
  return Math.min(Number.POSITIVE_INFINITY, ...ends)
}

function pauseOf(heals: number): number {
  if (heals < HEALS_OF_A_FIGHT) return 0
  return Math.min(MIN_PAUSE_MS * 2 ** (heals - HEALS_OF_A_FIGHT), MAX_PAUSE_MS)
}

function sameRivals(a: DriftReport, b: DriftReport): boolean {
  return rivals(a) === rivals(b)
}

function rivals({ fields }: DriftReport): string {
  return fields === undefined ? 'deleted' : [...new Set(fields.map(({ manager }) => manager))].sort().join()
}
