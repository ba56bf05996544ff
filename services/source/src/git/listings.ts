import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { GitError, listRemote, type RemoteOptions, type RemoteRefs } from '@setpoint/git'
import { SharedListing } from './shared-listing.ts'

/** Listings that nobody has asked for in this time are dropped. */
const KEPT_MS = 60 * 60_000
/** A listing that somebody waits for is given up then; each who waits gives up when its own time is over. */
const MAX_MS = 10 * 60_000

interface Entry {
  startedAt: number
  listing: SharedListing
  /** Of the references that were listed last. */
  digest: string
  /** Whose reference it is, by key. */
  users: Set<string>
}

export interface ListingOptions {
  /** Milliseconds since the epoch. */
  now(): number
  /** Requests that one host gets in a second, at most. */
  perHostPerSecond: number
  /** Counts a request. */
  onListed(): void
  /** The references that others use as well have changed. */
  wake(keys: string[]): void
}

/**
 * One list of references serves every GitRepository with the same URL and credentials. Hosts are not asked more often
 * than they are to be, and not at all while they want to be left alone.
 */
export class Listings {
  private readonly entries = new Map<string, Entry>()
  /** By a clock that nobody sets, for a jump must not shut a host out. */
  private readonly hosts = new Map<string, { nextAt: number; closedUntil: number; reason: string }>()
  private readonly options: ListingOptions

  constructor(options: ListingOptions) {
    this.options = options
  }

  /** @param notBefore a listing that was started earlier is not good enough @throws GitError */
  async get(key: string, remote: RemoteOptions, notBefore: number): Promise<RemoteRefs> {
    const place = placeOf(remote)
    const known = this.entries.get(place)
    // One from the future is from before the clock went back.
    const isOfNow = (at: number) => at >= notBefore && at <= this.options.now()
    if (known?.listing.isGood && isOfNow(known.startedAt)) {
      known.users.add(key)
      return known.listing.wait(remote)
    }
    const entry: Entry = {
      startedAt: this.options.now(),
      listing: new SharedListing((signal) => this.list({ ...remote, signal, timeoutMs: MAX_MS })),
      digest: '',
      users: new Set([...(known?.users ?? []), key]),
    }
    this.entries.set(place, entry)
    this.dropOld()
    return this.settle(key, entry, known, remote)
  }

  private async settle(
    key: string,
    entry: Entry,
    known: Entry | undefined,
    remote: RemoteOptions,
  ): Promise<RemoteRefs> {
    const refs = await entry.listing.wait(remote)
    entry.digest = digestOf(refs)
    if (known !== undefined && known.digest !== '' && known.digest !== entry.digest)
      this.options.wake([...entry.users].filter((user) => user !== key))
    return refs
  }

  private async list(remote: RemoteOptions): Promise<RemoteRefs> {
    const { host } = new URL(remote.url)
    await this.admit(host, remote.signal)
    this.options.onListed()
    try {
      return await listRemote(remote)
    } catch (error) {
      this.heed(remote, error)
      throw error
    }
  }

  /** A host that wants to be left alone, whatever it was asked, is not asked for references either. */
  heed({ url }: RemoteOptions, error: unknown): void {
    if (!(error instanceof GitError) || error.retryAfterMs === undefined) return
    const closedUntil = performance.now() + error.retryAfterMs
    this.hosts.set(new URL(url).host, { nextAt: 0, closedUntil, reason: error.message })
  }

  private async admit(host: string, signal: AbortSignal | undefined): Promise<void> {
    const now = performance.now()
    const state = this.hosts.get(host) ?? { nextAt: 0, closedUntil: 0, reason: '' }
    if (state.closedUntil > now)
      throw new GitError('RateLimited', state.reason, { retryAfterMs: state.closedUntil - now })
    const at = Math.max(now, state.nextAt)
    state.nextAt = at + 1000 / this.options.perHostPerSecond
    this.hosts.set(host, state)
    if (at > now) await delay(at - now, undefined, signal === undefined ? {} : { signal })
  }

  private dropOld(): void {
    for (const [place, { startedAt }] of this.entries)
      if (startedAt < this.options.now() - KEPT_MS) this.entries.delete(place)
    for (const [host, { nextAt, closedUntil }] of this.hosts)
      if (Math.max(nextAt, closedUntil) < performance.now() - KEPT_MS) this.hosts.delete(host)
  }
}

/** Everything that decides what a server says, and to whom; hashed, for it holds credentials. */
function placeOf({ url, auth, ssh, caPem, clientCertificate, proxy }: RemoteOptions): string {
  return createHash('sha256')
    .update(JSON.stringify([url, auth, ssh, caPem, clientCertificate, proxy]))
    .digest('hex')
}

function digestOf({ refs }: RemoteRefs): string {
  const hash = createHash('sha256')
  for (const { name, oid } of refs.values()) hash.update(`${oid} ${name}\n`)
  return hash.digest('hex')
}
