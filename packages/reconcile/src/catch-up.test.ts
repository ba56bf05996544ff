import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CatchUp } from './catch-up.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

function catchUp() {
  const told: string[] = []
  return { told, catchUp: new CatchUp({ onDue: (key) => told.push(key), batch: 2 }) }
}

test('a burst of news is told once, when it is over', () => {
  const { told, catchUp: waiting } = catchUp()
  for (let commit = 0; commit < 5; commit += 1) {
    waiting.note('app')
    vi.advanceTimersByTime(500)
  }
  expect(told).toEqual([])
  vi.advanceTimersByTime(500)
  expect(told).toEqual(['app'])
  vi.advanceTimersByTime(60_000)
  expect(told).toEqual(['app'])
})

test('news that never ends is told all the same', () => {
  const { told, catchUp: waiting } = catchUp()
  for (let commit = 0; commit < 25; commit += 1) {
    waiting.note('app')
    vi.advanceTimersByTime(500)
  }
  expect(told).toEqual(['app'])
})

test('many keys go in batches, and one that was forgotten does not go', () => {
  const { told, catchUp: waiting } = catchUp()
  for (const key of ['a', 'b', 'c', 'd', 'e']) waiting.note(key)
  waiting.forget('d')
  vi.advanceTimersByTime(1_000)
  expect(told).toEqual(['a', 'b'])
  vi.advanceTimersByTime(100)
  expect(told).toEqual(['a', 'b', 'c', 'e'])
  waiting.stop()
})
