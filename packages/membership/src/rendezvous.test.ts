import { expect, test } from 'vitest'
import { ownerOf } from './rendezvous.ts'

const keys = Array.from({ length: 3_000 }, (_, index) => `flux-system/app-${index}`)
const shareOf = (replicas: string[]) => Map.groupBy(keys, (key) => ownerOf(key, replicas))

test('every replica has a fair share', () => {
  for (const replicas of [
    ['apply-7d9f-x2x4k', 'apply-7d9f-zk82s'],
    ['a', 'b', 'c', 'd', 'e'],
  ]) {
    const fair = keys.length / replicas.length
    for (const [, share] of shareOf(replicas)) {
      expect(share.length).toBeGreaterThan(fair * 0.85)
      expect(share.length).toBeLessThan(fair * 1.15)
    }
  }
})

test('a new replica takes its share from all, and nothing else moves', () => {
  const moved = keys.filter((key) => ownerOf(key, ['a', 'b']) !== ownerOf(key, ['a', 'b', 'c']))
  expect(moved.every((key) => ownerOf(key, ['a', 'b', 'c']) === 'c')).toBe(true)
  expect(moved.length / keys.length).toBeCloseTo(1 / 3, 1)
  const lost = Map.groupBy(moved, (key) => ownerOf(key, ['a', 'b']))
  expect(lost.get('a')?.length).toBeGreaterThan(keys.length / 8)
})

test('the order of the list does not matter, and nobody owns anything in an empty one', () => {
  for (const key of keys.slice(0, 100))
    expect(ownerOf(key, ['a', 'b', 'c'])).toBe(ownerOf(key, ['c', 'a', 'b']))
  expect(ownerOf('a', [])).toBeUndefined()
})
