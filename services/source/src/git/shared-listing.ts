import { GitError, type RemoteOptions, type RemoteRefs } from '@setpoint/git'

/** One request for references that several wait for, each for as long as it wants. It ends when nobody waits any more. */
export class SharedListing {
  private readonly stop = new AbortController()
  private readonly listing: Promise<RemoteRefs>
  private waiting = 0
  private state: 'open' | 'done' | 'over' = 'open'

  constructor(list: (signal: AbortSignal) => Promise<RemoteRefs>) {
    this.listing = list(this.stop.signal)
    this.listing.then(
      () => {
        this.state = 'done'
      },
      () => {
        this.state = 'over'
      },
    )
  }

  /** False once it has failed or was given up: that is nobody else's answer. */
  get isGood(): boolean {
    return this.state !== 'over'
  }

  /** @throws GitError; Timeout once the caller's own time is over */
  async wait({
    url,
    timeoutMs,
    signal,
  }: Pick<RemoteOptions, 'url' | 'timeoutMs' | 'signal'>): Promise<RemoteRefs> {
    this.waiting += 1
    const over = Promise.withResolvers<never>()
    const { host } = new URL(url)
    const giveUp = (message: string) => over.reject(new GitError('Timeout', message))
    const timer = setTimeout(() => giveUp(`${host} did not answer within ${timeoutMs / 1000} s`), timeoutMs)
    const stopped = () => giveUp(`the operation on ${host} was stopped`)
    signal?.addEventListener('abort', stopped, { once: true })
    try {
      return await Promise.race([this.listing, over.promise])
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stopped)
      this.waiting -= 1
      if (this.waiting === 0 && this.state === 'open') this.giveUp()
    }
  }

  private giveUp(): void {
    this.state = 'over'
    this.stop.abort()
  }
}
