import { expect, test } from 'vitest'
import type { ApplyContext, Task } from '../context.ts'
import { handOverPollMs, mustWaitFor } from './hand-over.ts'

const MINUTE = 60_000

/** One Kustomization that waits, and a clock. */
function waiting() {
  const clock = { now: 1_000_000 }
  const context = { now: () => clock.now } as ApplyContext
  const task = { known: { handOverSince: undefined } } as unknown as Task
  return { clock, task, context, mustWait: (...unsure: string[]) => mustWaitFor(context, task, unsure) }
}

test('others that never say whether an object is theirs are waited for five minutes, and looked at ever more seldom', () => {
  const { clock, context, task, mustWait } = waiting()
  const polls: number[] = []
  for (const start = clock.now; mustWait('apps/other'); clock.now += polls.at(-1) ?? 0) {
    expect(clock.now - start).toBeLessThan(5 * MINUTE)
    polls.push(handOverPollMs(context, task))
  }
  expect(polls[0]).toBe(250)
  expect(polls.at(-1)).toBe(5_000)
  expect(polls).toEqual(polls.toSorted((a, b) => a - b))
  expect(polls.length).toBeLessThan(100)
})

test('a wait that is over is counted anew the next time', () => {
  const { clock, mustWait } = waiting()
  expect(mustWait('apps/other')).toBe(true)
  clock.now += 4 * MINUTE
  expect(mustWait()).toBe(false)
  expect(mustWait('apps/other')).toBe(true)
  clock.now += 4 * MINUTE
  expect(mustWait('apps/other')).toBe(true)
  clock.now += MINUTE
  expect(mustWait('apps/other')).toBe(false)
})

test('a clock that goes back ends the wait', () => {
  const { clock, mustWait } = waiting()
  expect(mustWait('apps/other')).toBe(true)
  clock.now -= 60 * MINUTE
  expect(mustWait('apps/other')).toBe(false)
})
