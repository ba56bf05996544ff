import { setTimeout as delay } from 'node:timers/promises'

/** What a probe answers: a value when the awaited state is reached, otherwise nothing. */
type Answer<T> = T | undefined | false | null

/** The time is up; `cause` is what the probe threw last. */
export class WaitTimeout extends Error {
  override name = 'WaitTimeout'
}

/**
 * Polls `probe` until it answers with something, and returns that.
 * A probe that throws counts as "not yet"; its last error is part of the message when the time is up.
 *
 * @throws WaitTimeout `timed out after … ms: WHAT` with the probe's last error as its cause.
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<Answer<T>> | Answer<T>,
  { timeoutMs = 30_000, intervalMs = 50 }: { timeoutMs?: number; intervalMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let lastError: unknown
  for (;;) {
    try {
      const answer = await within(deadline, probe)
      if (answer !== undefined && answer !== false && answer !== null) return answer
    } catch (error) {
      lastError = error
    }
    if (performance.now() + intervalMs > deadline) throw timedOut(what, timeoutMs, lastError)
    await delay(intervalMs)
  }
}

/** A probe that never answers must not outlive the deadline either. */
async function within<T>(deadline: number, probe: () => Promise<T> | T): Promise<T> {
  const abort = new AbortController()
  const left = Math.max(1, deadline - performance.now())
  const timer = delay(left, undefined, { signal: abort.signal }).then(() => {
    throw new Error('the last probe did not answer in time')
  })
  timer.catch(() => undefined)
  try {
    return await Promise.race([Promise.resolve(probe()), timer])
  } finally {
    abort.abort()
  }
}

function timedOut(what: string, timeoutMs: number, cause: unknown): WaitTimeout {
  const because =
    cause === undefined ? '' : ` (last error: ${cause instanceof Error ? cause.message : cause})`
  return new WaitTimeout(`timed out after ${timeoutMs} ms: ${what}${because}`, { cause })
}
