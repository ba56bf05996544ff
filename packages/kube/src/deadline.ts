import { KubeUnreachableError } from './errors.ts'

export interface DeadlineOptions {
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** The message of the error when time runs out. */
  message: string
}

/**
 * The end of one call: its timeout or its caller's signal, whichever comes first. One object for the wait in the
 * queue, the connection, the request and its retries; cheaper than a chain of AbortSignals.
 */
export class Deadline implements Disposable {
  /** Set once the call is over: what it fails with. */
  error: unknown
  readonly #listeners = new Set<(error: unknown) => void>()
  readonly #timer: NodeJS.Timeout
  readonly #signal: AbortSignal | undefined
  readonly #endsAt: number
  readonly #onAbort = () => this.#expire(this.#signal?.reason)

  constructor({ timeoutMs, signal, message }: DeadlineOptions) {
    this.#timer = setTimeout(() => this.#expire(new KubeUnreachableError(message)), timeoutMs)
    this.#endsAt = performance.now() + timeoutMs
    this.#signal = signal
    if (signal?.aborted) this.#expire(signal.reason)
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now())
  }

  /** Calls the listener when the call is over, at once if it is already. Returns a way to stop listening. */
  onExpired(listener: (error: unknown) => void): () => void {
    if (this.error !== undefined) listener(this.error)
    else this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Waits for a promise no longer than this deadline. */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const stop = this.onExpired(reject)
      promise.then(resolve, reject).finally(stop)
    })
  }

  /** Waits a time; rejects when the deadline comes first. */
  async pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    try {
      await this.race(new Promise<void>((resolve) => (timer = setTimeout(resolve, ms))))
    } finally {
      clearTimeout(timer)
    }
  }

  throwIfExpired(): void {
    if (this.error !== undefined) throw this.error
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#listeners.clear()
  }

  #expire(error: unknown): void {
    if (this.error !== undefined) return
    this.error = error ?? new DOMException('The operation was aborted', 'AbortError')
    clearTimeout(this.#timer)
    for (const listener of this.#listeners) listener(this.error)
    this.#listeners.clear()
  }
}
