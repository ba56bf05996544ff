import { setImmediate as others } from 'node:timers/promises'
import { GitError } from '../errors.ts'

/** Longer than this, nobody else waits for us. */
const TURN_MS = 10

/** Long work on the event loop, done in turns: between them everything else goes on, and the work can be stopped. */
export class Turns {
  private readonly signal: AbortSignal | undefined
  private startedAt = performance.now()

  constructor(signal?: AbortSignal) {
    this.signal = signal
  }

  get isOver(): boolean {
    return performance.now() - this.startedAt > TURN_MS
  }

  /** @throws GitError Timeout when the work is to stop */
  async next(): Promise<void> {
    if (this.signal?.aborted) throw new GitError('Timeout', 'the pack was not unpacked in time')
    await others()
    this.startedAt = performance.now()
  }
}
