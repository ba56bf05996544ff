import { setTimeout as delay } from 'node:timers/promises'
import { RegistryError } from './errors.ts'

export interface HostLimits {
  /** Requests a second to one host, once the burst is used up. */
  perSecond: number
  /** Requests that may go at once after a rest. */
  burst: number
}

interface Host {
  tokens: number
  filledAt: number
  /** Requests that wait for their turn. */
  waiting: number
  /** The host asked not to be asked before this, by `uptime`. */
  blockedUntil: number
}

const MAX_HOSTS = 1_000
const MAX_WAITING = 10_000

/** Holds the requests to each host to a rate, and keeps silent where a host has asked for it. */
export class HostLimiter {
  private readonly limits: HostLimits
  private readonly uptime: () => number
  private readonly hosts = new Map<string, Host>()

  /** @param uptime milliseconds of a clock that nobody sets, for a jump must not shut a host out */
  constructor(limits: HostLimits, uptime: () => number) {
    this.limits = limits
    this.uptime = uptime
  }

  /** Waits for the turn of one request. @throws RegistryError TooManyRequests while the host wants silence. */
  async turn(host: string, signal: AbortSignal): Promise<void> {
    const state = this.hostOf(host)
    const blockedMs = state.blockedUntil - this.uptime()
    if (blockedMs > 0)
      throw new RegistryError('TooManyRequests', `${host} asked for fewer requests`, {
        retryAfterMs: blockedMs,
      })
    const waitMs = this.take(state)
    if (waitMs <= 0) return
    if (state.waiting >= MAX_WAITING)
      throw new RegistryError('TooManyRequests', `too many requests wait for ${host}`, {
        retryAfterMs: waitMs,
      })
    state.waiting += 1
    try {
      await delay(waitMs, undefined, { signal })
    } finally {
      state.waiting -= 1
    }
  }

  /** The host has answered 429. */
  block(host: string, ms: number): void {
    const state = this.hostOf(host)
    state.blockedUntil = Math.max(state.blockedUntil, this.uptime() + ms)
  }

  /** Takes a token, if need be one that comes later; how long to wait for it in ms. */
  private take(state: Host): number {
    const now = this.uptime()
    const passed = Math.max(0, now - state.filledAt)
    state.tokens = Math.min(this.limits.burst, state.tokens + (passed / 1000) * this.limits.perSecond)
    state.filledAt = now
    state.tokens -= 1
    return state.tokens >= 0 ? 0 : (-state.tokens / this.limits.perSecond) * 1000
  }

  private hostOf(host: string): Host {
    const found = this.hosts.get(host)
    if (found !== undefined) return found
    for (const [oldest, { waiting }] of this.hosts)
      if (this.hosts.size >= MAX_HOSTS && waiting === 0) this.hosts.delete(oldest)
    const made = { tokens: this.limits.burst, filledAt: this.uptime(), waiting: 0, blockedUntil: 0 }
    this.hosts.set(host, made)
    return made
  }
}
