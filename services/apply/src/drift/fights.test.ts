import { expect, test } from 'vitest'
import { afterHeal, type Fight, isFight, isPaused } from './fights.ts'

const report = (manager: string) => ({
  object: 'ConfigMap/a/b',
  hash: 'h',
  fields: [{ name: 'data.k', manager }],
})

function healed(times: number, everyMs: number, manager = 'other'): Fight {
  let fight: Fight | undefined
  for (let time = 0; time < times; time += 1) fight = afterHeal(fight, report(manager), time * everyMs)
  return fight as Fight
}

test('four heals in a row are healed at once, the fifth begins to pause', () => {
  expect(isPaused(healed(4, 100), 400)).toBe(false)
  const fight = healed(5, 100)
  expect(isFight(fight, 400)).toBe(true)
  expect(isPaused(fight, 401)).toBe(true)
  expect(isPaused(fight, 400 + 5_000)).toBe(false)
})

test('pauses double up to ten minutes', () => {
  expect(healed(6, 100).pausedUntil - 500).toBe(10_000)
  expect(healed(50, 100).pausedUntil - 4_900).toBe(600_000)
})

test('edits far apart, or by different people, are no fight', () => {
  expect(healed(10, 60_000).heals).toBe(1)
  expect(afterHeal(healed(4, 100), report('another'), 400).heals).toBe(1)
})

test('a fight is over when the other has been quiet, and a clock that jumps back ends its pause', () => {
  const fight = healed(5, 100)
  expect(isFight(fight, 400 + 40_000)).toBe(false)
  expect(isPaused(fight, -1_000)).toBe(false)
})
