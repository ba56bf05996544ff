import { createHash } from 'node:crypto'
import { CloudError } from './errors.ts'

/** What is kept, and when it ends: milliseconds since the epoch; undefined when it has no end. */
interface Lasting<T> {
  value: T
  expiresAt: number | undefined
}

interface Kept<T> {
  answer: Promise<T>
  startedAt: number
  /** Not used from then on; undefined while it is being made. */
  until: number | undefined
}

const MAX_ENTRIES = 1_000
const MAX_LIFE_MS = 3_600_000
/** The share of its life that a credential is used for. */
const USED_SHARE = 0.8
const MAKE_TIMEOUT_MS = 30_000

/** Values by key until shortly before they expire. Who asks while a value is made waits for that one. */
export class UntilExpiry {
  private readonly now: () => number
  private readonly kept = new Map<string, Kept<unknown>>()

  constructor(now: () => number) {
    this.now = now
  }

  /**
   * @param parts what the value is for, as JSON; only a hash of them is kept, for they may be secret
   * @throws what `make` throws, which is not kept; CloudError Timeout; the reason of the signal
   */
  async get<T>(
    parts: unknown,
    make: (signal: AbortSignal) => Promise<Lasting<T>>,
    signal: AbortSignal,
  ): Promise<T> {
    const key = createHash('sha256').update(JSON.stringify(parts)).digest('hex')
    const found = this.kept.get(key)
    const isGood = found !== undefined && isFresh(found, this.now())
    const { answer } = isGood ? (found as Kept<T>) : this.start(key, make)
    return orAborted(answer, signal)
  }

  private start<T>(key: string, make: (signal: AbortSignal) => Promise<Lasting<T>>): Kept<T> {
    const startedAt = this.now()
    const entry: Kept<T> = {
      startedAt,
      answer: this.make(make, startedAt, (until) => (entry.until = until)),
      until: undefined,
    }
    entry.answer.catch(() => {
      if (this.kept.get(key) === entry) this.kept.delete(key)
    })
    this.kept.delete(key)
    this.kept.set(key, entry)
    const [oldest] = this.kept.keys()
    if (this.kept.size > MAX_ENTRIES && oldest !== undefined) this.kept.delete(oldest)
    return entry
  }

  private async make<T>(
    make: (signal: AbortSignal) => Promise<Lasting<T>>,
    startedAt: number,
    keepUntil: (until: number) => void,
  ): Promise<T> {
    const signal = AbortSignal.timeout(MAKE_TIMEOUT_MS)
    const { value, expiresAt } = await orAborted(make(signal), signal)
    const lifeMs = Math.min((expiresAt ?? Number.POSITIVE_INFINITY) - startedAt, MAX_LIFE_MS)
    keepUntil(startedAt + lifeMs * USED_SHARE)
    return value
  }
}

/** After a clock went back, nobody knows how old it is. */
function isFresh({ startedAt, until }: Kept<unknown>, now: number): boolean {
  return until === undefined || (startedAt <= now && now < until)
}

/** Not every SDK can be stopped: who asks goes on without it. @throws CloudError Timeout; the reason of the signal */
export async function orAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(reasonOf(signal))
  if (signal.aborted) aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([aborted.promise, answer])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function reasonOf({ reason }: AbortSignal): unknown {
  const isTimeout = reason instanceof DOMException && reason.name === 'TimeoutError'
  return isTimeout ? new CloudError('Timeout', 'the cloud did not answer in time') : reason
}
