import { expect, test } from 'vitest'
import { Fence, LeaseLapsed } from './fence.ts'

function fenceAt() {
  const time = { monotonic: 1_000, wall: 50_000 }
  return { time, fence: new Fence({ monotonic: () => time.monotonic, wall: () => time.wall }) }
}

test('a fence is shut until it is granted', () => {
  expect(() => fenceAt().fence.check()).toThrow(LeaseLapsed)
})

test('the time counts from before the renewal was sent', () => {
  const { time, fence } = fenceAt()
  const mark = fence.mark()
  time.monotonic += 4_000
  time.wall += 4_000
  fence.grant(mark, 6_000)
  expect(fence.leftMs()).toBe(2_000)
  time.monotonic += 2_000
  expect(() => fence.check()).toThrow('not renewed in time')
})

test('a machine that slept is late by its wall clock, and a wall clock that went back does not matter', () => {
  const { time, fence } = fenceAt()
  fence.grant(fence.mark(), 6_000)
  time.wall -= 3_600_000
  expect(fence.leftMs()).toBe(6_000)
  time.wall += 3_600_000 + 7_000
  expect(() => fence.check()).toThrow(LeaseLapsed)
})

test('who gave its Lease back writes no more', () => {
  const { fence } = fenceAt()
  fence.grant(fence.mark(), 6_000)
  fence.revoke()
  expect(() => fence.check()).toThrow(LeaseLapsed)
})
