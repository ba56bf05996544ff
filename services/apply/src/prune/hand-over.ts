import type { ApplyContext, Task } from '../context.ts'
import { NotYet } from '../not-yet.ts'

/**
 * For how long others are waited for that may be about to say whether an object is theirs now. Their builds take moments;
 * when the render service was killed, or NATS has lost everything, as long as that takes to mend.
 */
const HAND_OVER_WAIT_MS = 5 * 60_000
const HAND_OVER_POLL_MS = { min: 250, max: 5_000 }
const MAX_NAMED = 5

/** A short wait, in which no worker is held: the others are being built right now. */
export function awaitUnsure(context: ApplyContext, task: Task, unsure: readonly string[]): void {
  if (!mustWaitFor(context, task, unsure)) return
  const names = `${unsure.slice(0, MAX_NAMED).join(', ')}${unsure.length > MAX_NAMED ? ', …' : ''}`
  throw new NotYet(
    `waiting for other Kustomizations to be built before anything of theirs is taken or pruned: ${names}`,
    { retryAfterMs: handOverPollMs(context, task) },
  )
}

/** When to look again: soon at first. */
export function handOverPollMs(context: ApplyContext, { known }: Task): number {
  const waited = context.now() - (known.handOverSince ?? context.now())
  return Math.min(Math.max(waited / 2, HAND_OVER_POLL_MS.min), HAND_OVER_POLL_MS.max)
}

/** True while others may be about to say that an object is theirs, for a bounded time. */
export function mustWaitFor(context: ApplyContext, { known }: Task, unsure: readonly string[]): boolean {
  known.handOverSince ??= context.now()
  const waited = context.now() - known.handOverSince
  if (unsure.length > 0 && waited >= 0 && waited < HAND_OVER_WAIT_MS) return true
  known.handOverSince = undefined
  return false
}
