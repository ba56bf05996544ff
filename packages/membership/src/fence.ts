/** The Lease of this replica is not surely valid right now: somebody else may be at work. Nothing was sent. */
export class LeaseLapsed extends Error {
  override name = 'LeaseLapsed'
}

/** Milliseconds of a clock that never goes back, and of the wall clock, which goes on while a machine sleeps. */
export interface Clocks {
  monotonic(): number
  wall(): number
}

/** Says at every write whether this replica may still write. */
export class Fence {
  private readonly clocks: Clocks
  private granted: { monotonic: number; wall: number; forMs: number } | undefined

  constructor(clocks: Clocks = { monotonic: () => performance.now(), wall: Date.now }) {
    this.clocks = clocks
  }

  /** The time now, to be given back to `grant`: taken before the renewal is sent. */
  mark(): { monotonic: number; wall: number } {
    return { monotonic: this.clocks.monotonic(), wall: this.clocks.wall() }
  }

  grant(mark: { monotonic: number; wall: number }, forMs: number): void {
    this.granted = { ...mark, forMs }
  }

  revoke(): void {
    this.granted = undefined
  }

  /** How long writes stay allowed; 0 or less: they are not. */
  leftMs(): number {
    if (this.granted === undefined) return 0
    const now = this.mark()
    const passed = Math.max(now.monotonic - this.granted.monotonic, now.wall - this.granted.wall)
    return this.granted.forMs - passed
  }

  /** @throws LeaseLapsed */
  check(): void {
    if (this.leftMs() <= 0)
      throw new LeaseLapsed(
        'the Lease of this replica was not renewed in time; nothing is written until it is',
      )
  }
}

/** Never refuses: for a service of one replica. */
export function unfenced(): Fence {
  const fence = new Fence()
  fence.grant(fence.mark(), Number.POSITIVE_INFINITY)
  return fence
}
