import { expect, test } from 'vitest'
import { jitter } from './jitter.ts'

test('a period is spread by 5 % to both sides, and no more', () => {
  expect([0, 0.5, 1].map((random) => jitter(1_000, () => random))).toEqual([950, 1_000, 1_050])
})

test('a fleet does not wake at once', () => {
  expect(new Set(Array.from({ length: 100 }, () => Math.round(jitter(600_000)))).size).toBeGreaterThan(50)
})
