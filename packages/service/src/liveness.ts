import type { KeyedQueue } from '@setpoint/reconcile'

/** A queue with work that finishes nothing for this long is stuck: the process is restarted. */
const STUCK_MS = 15 * 60_000
/** No run may take this long: every deadline is shorter, and a run that does not end then never will. */
const WEDGED_MS = 30 * 60_000

/** Why the process must be restarted, or undefined while its queues move. */
export function livenessProblem(queues: Readonly<Record<string, KeyedQueue>>): string | undefined {
  for (const [name, queue] of Object.entries(queues)) {
    const { oldestReadyMs, longestRunMs, ready } = queue.health()
    const longest = `${Math.round(longestRunMs / 1000)} s`
    if (longestRunMs > WEDGED_MS) return `a run of queue ${name} has ignored its deadline for ${longest}`
    if (oldestReadyMs > STUCK_MS)
      return `queue ${name} does not move: ${ready} keys wait, the oldest for ${Math.round(oldestReadyMs / 1000)} s, the longest run takes ${longest}`
  }
  return undefined
}
