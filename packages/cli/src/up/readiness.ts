import { setTimeout as delay } from 'node:timers/promises'
import type { UpState } from './state-file.ts'

const EACH_MS = 100
const STILL_WAITING_MS = 30_000

/**
 * Waits until every service answers /readyz with 200, as long as it takes, and says now and then what is missing.
 * Returns false when it was aborted.
 */
export async function allReady(
  state: () => UpState,
  signal: AbortSignal,
  tell: (line: string) => void,
): Promise<boolean> {
  let toldAtMs = performance.now()
  while (!signal.aborted) {
    const problems = await problemsOf(state())
    if (problems.length === 0) return true
    if (performance.now() - toldAtMs > STILL_WAITING_MS) {
      toldAtMs = performance.now()
      tell(`still waiting: ${problems.join('; ')}`)
    }
    await delay(EACH_MS, undefined, { signal }).catch(() => undefined)
  }
  return false
}

async function problemsOf(state: UpState): Promise<string[]> {
  const answers = await Promise.all(
    state.services.map(async ({ name, url }) => {
      const problem = await probe(`${url}/readyz`)
      return problem === undefined ? [] : [`${name}: ${problem}`]
    }),
  )
  return answers.flat()
}

/** Why an address does not answer 200, in a few words, or undefined when it does. */
export async function probe(url: string, timeoutMs = 2_000): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    const text = (await answer.text()).trim()
    return answer.ok ? undefined : text.slice(0, 500) || `status ${answer.status}`
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    return `does not answer (${cause})`
  }
}
