import { expect, test } from 'vitest'
import { runChaos } from './chaos/run-chaos.ts'
import { START_TIMEOUT_MS } from './harness.ts'

/** The short form of `npm run chaos`. A seed that failed is given there as `--seed`. */
const SEED = Date.now() % 1_000_000

test(
  `with two replicas of everything, whatever goes wrong by chance (seed ${SEED}): the cluster ends as Git says`,
  async () => {
    const { wrong, commits } = await runChaos({
      apps: 20,
      replicas: 2,
      durationMs: 15_000,
      seed: SEED,
      stuckMs: 120_000,
      log: () => undefined,
    })
    expect(wrong).toEqual([])
    expect(commits).toBeGreaterThan(0)
  },
  START_TIMEOUT_MS,
)
