import type { Deadline } from './deadline.ts'
import { KubeUnreachableError } from './errors.ts'

/** Lets a bounded number of calls go at once, and a bounded number wait, first come first served. */
export class Limiter {
  readonly #maxWaiting: number
  #limit: number
  #running = 0
  readonly #waiting = new Set<() => void>()

  constructor(limits: { concurrent: number; waiting: number }) {
    this.#limit = limits.concurrent
    this.#maxWaiting = limits.waiting
  }

  /** The server allows fewer (or more) at once. */
  set limit(value: number) {
    this.#limit = Math.max(1, value)
    this.#wake()
  }

  /** Resolves when the caller may go; the caller then has to call `release` once. */
  async acquire(deadline: Deadline): Promise<void> {
    deadline.throwIfExpired()
    if (this.#running < this.#limit) {
      this.#running += 1
      return
    }
    if (this.#waiting.size >= this.#maxWaiting) {
      throw new KubeUnreachableError(`${this.#waiting.size} requests already wait for the API server`)
    }
    await this.#wait(deadline)
  }

  release(): void {
    this.#running -= 1
    this.#wake()
  }

  #wait(deadline: Deadline): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        stop()
        resolve()
      }
      const stop = deadline.onExpired((error) => {
        this.#waiting.delete(go)
        reject(error)
      })
      this.#waiting.add(go)
    })
  }

  #wake(): void {
    for (const go of this.#waiting) {
      if (this.#running >= this.#limit) return
      this.#waiting.delete(go)
      this.#running += 1
      go()
    }
  }
}
