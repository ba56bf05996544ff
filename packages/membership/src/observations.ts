import type { LeaseRecord } from './lease-record.ts'

interface Observation {
  lease: LeaseRecord
  /** When its last renewal was seen first. */
  seenAt: number
}

/**
 * What was seen of the Leases of the other replicas, and when, by the clock of this process alone: clocks of different
 * machines are never compared. Times are milliseconds of one monotonic clock.
 */
export class Observations {
  private readonly seen = new Map<string, Observation>()
  private lookedAt = 0

  /** Notes one Lease as a watch shows it. */
  note(lease: LeaseRecord, now: number): void {
    const before = this.seen.get(lease.name)
    if (before?.lease.stamp === lease.stamp) return
    this.seen.set(lease.name, { lease, seenAt: now })
  }

  gone(name: string): void {
    this.seen.delete(name)
  }

  /**
   * Notes all Leases that there are. After a gap in looking nobody is taken for dead because of it: everybody has as much
   * time as the longest gap to say that it lives. No more, for one that was killed meanwhile is waited for by others.
   */
  replace(leases: readonly LeaseRecord[], now: number, longestGapMs: number): void {
    if (now - this.lookedAt > longestGapMs)
      for (const observation of this.seen.values()) spare(observation, now + longestGapMs)
    this.looked(now)
    const names = new Set(leases.map(({ name }) => name))
    for (const name of this.seen.keys()) if (!names.has(name)) this.seen.delete(name)
    for (const lease of leases) this.note(lease, now)
  }

  /** The API server has answered: what it has not shown has not happened. */
  looked(now: number): void {
    this.lookedAt = now
  }

  /** Replicas whose Lease may still be valid: the whole duration has not passed since its renewal was seen. */
  living(now: number): LeaseRecord[] {
    return [...this.seen.values()].filter((one) => !isExpired(one, now)).map(({ lease }) => lease)
  }

  /** Replicas that ended without a word this long ago. */
  deadFor(ms: number, now: number): LeaseRecord[] {
    return [...this.seen.values()].filter((one) => isExpired(one, now - ms)).map(({ lease }) => lease)
  }

  /** Milliseconds until the next of them expires if it is not renewed; undefined when there is none. */
  nextExpiry(now: number): number | undefined {
    const left = [...this.seen.values()]
      .map(({ lease, seenAt }) => seenAt + lease.durationMs - now)
      .filter((ms) => ms > 0)
    return left.length === 0 ? undefined : Math.min(...left)
  }
}

function spare(observation: Observation, untilMs: number): void {
  observation.seenAt = Math.max(observation.seenAt, untilMs - observation.lease.durationMs)
}

function isExpired({ lease, seenAt }: Observation, now: number): boolean {
  return now >= seenAt + lease.durationMs
}
