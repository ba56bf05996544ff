import { expect, test } from 'vitest'
import { ownerOf } from './rendezvous.ts'
import { isOwn, type View } from './view.ts'

const keys = Array.from({ length: 300 }, (_, index) => `flux-system/app-${index}`)
const claimOf = (self: string, view: View, others: Record<string, View> = {}, target: View = view) => ({
  self,
  view,
  target,
  others: Object.entries(others).map(([name, view]) => ({ name, view })),
})

test('one that is alone owns everything', () => {
  expect(keys.every((key) => isOwn(key, claimOf('a', ['a'])))).toBe(true)
})

test('one that has come takes nothing before the other has given it up', () => {
  const before = keys.filter((key) => isOwn(key, claimOf('b', ['a', 'b'], { a: ['a'] })))
  expect(before).toEqual([])
  const after = keys.filter((key) => isOwn(key, claimOf('b', ['a', 'b'], { a: ['a', 'b'] })))
  expect(after).toEqual(keys.filter((key) => ownerOf(key, ['a', 'b']) === 'b'))
})

test('what is to be given away is given up at once', () => {
  const claim = claimOf('a', ['a'], { b: ['a', 'b'] }, ['a', 'b'])
  expect(keys.filter((key) => isOwn(key, claim))).toEqual(
    keys.filter((key) => ownerOf(key, ['a', 'b']) === 'a'),
  )
})

/**
 * Two replicas write a view and then read the other's, in every order. Whatever the views are, they never both own a key:
 * the one that reads later sees what the other has written.
 */
test('of two that claim at once at most one owns a key', () => {
  const views: View[] = [[], ['a'], ['b'], ['a', 'b'], ['a', 'c'], ['b', 'c'], ['a', 'b', 'c']]
  for (const viewOfA of views)
    for (const viewOfB of views)
      for (const staleViewOfB of views) {
        // a has read before b wrote; b reads after both.
        const a = claimOf('a', viewOfA, { b: staleViewOfB })
        const b = claimOf('b', viewOfB, { a: viewOfA })
        expect(keys.filter((key) => isOwn(key, a) && isOwn(key, b))).toEqual([])
      }
})

test('when all work by the same view, every key has exactly one owner', () => {
  const view = ['a', 'b', 'c']
  const owners = (key: string) =>
    view.filter((self) => {
      const others = Object.fromEntries(view.filter((name) => name !== self).map((name) => [name, view]))
      return isOwn(key, claimOf(self, view, others))
    })
  for (const key of keys) expect(owners(key)).toHaveLength(1)
})
