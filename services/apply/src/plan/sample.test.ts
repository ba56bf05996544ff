import { expect, test } from 'vitest'
import { CheckBudget, isSampled, SAMPLE, sampleCost } from './sample.ts'

const ids = Array.from({ length: 1_000 }, (_, index) => `apps_web-${index}__ConfigMap`)

test('as many checks as the sample is large ask about every object once', () => {
  const asked = Array.from({ length: SAMPLE }, (_, round) => ids.filter((id) => isSampled(id, 7 + round)))
  expect(asked.flat().toSorted()).toEqual(ids.toSorted())
  for (const some of asked) expect(some.length).toBeLessThan(ids.length / 4)
})

test('a check costs less than half a request for each object', () => {
  expect(sampleCost(1_000) / 1_000).toBeLessThan(0.5)
})

test('a budget lets a second of work go at once, and then spreads the rest', () => {
  const budget = new CheckBudget(100)
  expect(budget.take(100, 0)).toBe(0)
  expect(budget.take(100, 0)).toBe(0)
  expect(budget.take(100, 0)).toBe(2_000)
  expect(budget.take(100, 1_000)).toBe(0)
})

test('a clock that jumps back by a day does not stop the checks', () => {
  const budget = new CheckBudget(1)
  const day = 86_400_000
  expect(budget.take(10, 2 * day)).toBe(0)
  expect(budget.take(10, day)).toBe(0)
})
