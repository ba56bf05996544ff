import { expect, test } from 'vitest'
import type { LeaseRecord } from './lease-record.ts'
import { Observations } from './observations.ts'

const lease = (name: string, stamp: string): LeaseRecord => ({
  name,
  holder: `${name}-1`,
  view: [name],
  durationMs: 7_000,
  stamp,
  resourceVersion: stamp,
  transitions: 1,
})
const names = (leases: LeaseRecord[]) => leases.map(({ name }) => name)

test('a replica lives until the whole duration has passed since its last renewal was seen', () => {
  const seen = new Observations()
  seen.replace([lease('a', '1')], 0, 3_500)
  seen.note(lease('a', '1'), 3_000)
  expect(names(seen.living(6_999))).toEqual(['a'])
  expect(seen.nextExpiry(6_000)).toBe(1_000)
  expect(names(seen.living(7_000))).toEqual([])
  seen.note(lease('a', '2'), 6_000)
  expect(names(seen.living(12_999))).toEqual(['a'])
})

test('a Lease that is old when it is seen first is waited for all the same: clocks of machines are not compared', () => {
  const seen = new Observations()
  seen.replace([lease('long-dead', '1')], 100_000, 3_500)
  expect(names(seen.living(106_000))).toEqual(['long-dead'])
  expect(names(seen.deadFor(1_000, 108_000))).toEqual(['long-dead'])
})

test('after the API server was away nobody is taken for dead', () => {
  const seen = new Observations()
  seen.replace([lease('a', '1')], 0, 3_500)
  seen.replace([lease('a', '1')], 20_000, 3_500)
  expect(names(seen.living(23_499))).toEqual(['a'])
})

test('one that was killed while the API server was away is waited for half as long as its Lease, not as long again', () => {
  const seen = new Observations()
  seen.replace([lease('a', '1')], 0, 3_500)
  seen.replace([lease('a', '1')], 5_000, 3_500)
  expect(names(seen.living(8_499))).toEqual(['a'])
  expect(names(seen.living(8_500))).toEqual([])
})

test('a Lease that was deleted is nobody’s', () => {
  const seen = new Observations()
  seen.replace([lease('a', '1'), lease('b', '1')], 0, 3_500)
  seen.replace([lease('b', '1')], 1_000, 3_500)
  expect(names(seen.living(1_000))).toEqual(['b'])
  seen.gone('b')
  expect(seen.living(1_000)).toEqual([])
})
