/** Growing waits with jitter, so that many clients of one server don't come back at the same moment. */
export class Backoff {
  readonly #initialMs: number
  readonly #maxMs: number
  #nextMs: number

  constructor(bounds: { initialMs: number; maxMs: number }) {
    this.#initialMs = bounds.initialMs
    this.#maxMs = bounds.maxMs
    this.#nextMs = bounds.initialMs
  }

  /** How long to wait this time: between half of the current step and the whole. */
  next(): number {
    const step = this.#nextMs
    this.#nextMs = Math.min(step * 2, this.#maxMs)
    return step * (0.5 + Math.random() / 2)
  }

  reset(): void {
    this.#nextMs = this.#initialMs
  }
}
