import { createHash } from 'node:crypto'

/** A check at the interval asks about one object in so many; after as many checks, all were asked about. */
export const SAMPLE = 5
/** Asking about an object takes a read and a dry run. */
const REQUESTS_PER_OBJECT = 2

/** True when an object's turn has come. Pure. round: counts the checks at the interval. */
export function isSampled(id: string, round: number): boolean {
  const [first = 0] = createHash('sha256').update(id).digest()
  return first % SAMPLE === round % SAMPLE
}

/** How many requests a check at the interval is about to take. */
export function sampleCost(objects: number): number {
  return Math.ceil(objects / SAMPLE) * REQUESTS_PER_OBJECT
}

/** Requests that checks at the interval may send, so that a fleet whose checks fall together does not flood the API server. */
export class CheckBudget {
  private readonly perSecond: number
  private freeAt = 0

  constructor(perSecond: number) {
    this.perSecond = perSecond
  }

  /** Takes so many requests, or says in how many milliseconds they may be asked for again. now: ms since the epoch. */
  take(requests: number, now: number): number {
    // A clock that jumped back must not stop the checks.
    if (this.freeAt - now > MAX_WAIT_MS) this.freeAt = now
    if (this.freeAt > now + BURST_MS) return this.freeAt - now
    this.freeAt = Math.max(this.freeAt, now) + (requests / this.perSecond) * 1_000
    return 0
  }
}

const BURST_MS = 1_000
const MAX_WAIT_MS = 60 * 60_000
