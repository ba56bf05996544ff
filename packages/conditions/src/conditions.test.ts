import type { Condition } from '@setpoint/contracts'
import { expect, test } from 'vitest'
import { findCondition, isConditionTrue, removeCondition, setCondition } from './conditions.ts'

const t0 = Date.parse('2026-01-01T00:00:00.400Z')
const t1 = t0 + 60_000
const ready = { type: 'Ready', status: 'True', reason: 'Succeeded', message: 'done' } as const

test('conditions stand in the order Stalled, Reconciling, Ready, others by name', () => {
  let conditions: Condition[] = []
  for (const type of ['Healthy', 'Ready', 'Available', 'Reconciling', 'Stalled'])
    conditions = setCondition(conditions, { ...ready, type }, t0)
  expect(conditions.map((condition) => condition.type)).toEqual([
    'Stalled',
    'Reconciling',
    'Ready',
    'Available',
    'Healthy',
  ])
})

test.each([
  ['status', { ...ready, status: 'False' as const }, '2026-01-01T00:01:00Z'],
  ['reason', { ...ready, reason: 'Failed' }, '2026-01-01T00:01:00Z'],
  ['message', { ...ready, message: 'other' }, '2026-01-01T00:01:00Z'],
  ['observedGeneration alone', { ...ready, observedGeneration: 7 }, '2026-01-01T00:00:00Z'],
  ['nothing', ready, '2026-01-01T00:00:00Z'],
])('a change of %s leaves the transition time at the right moment', (_what, next, expected) => {
  const before = setCondition([], ready, t0)
  expect(findCondition(setCondition(before, next, t1), 'Ready')?.lastTransitionTime).toBe(expected)
})

test('a message longer than the API server takes is cut', () => {
  const [condition] = setCondition([], { ...ready, message: 'x'.repeat(40_000) }, t0)
  expect(condition?.message.length).toBe(32_768)
})

test('a removed condition is neither found nor true', () => {
  const conditions = removeCondition(setCondition([], ready, t0), 'Ready')
  expect(findCondition(conditions, 'Ready')).toBeUndefined()
  expect(isConditionTrue(conditions, 'Ready')).toBe(false)
})
