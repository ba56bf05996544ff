import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyChanges, changesBetween, changesFrom, digestAfter, followedBy } from './changes.ts'
import type { TreeFile } from './tree-file.ts'

const listings = fc
  .dictionary(fc.stringMatching(/^[a-e]$/), fc.constantFrom('1', '2'))
  .map(
    (files) =>
      new Map(
        Object.entries(files).map(([path, blobId]): [string, TreeFile] => [
          path,
          { path, blobId, mode: '100644', size: 1 },
        ]),
      ),
  )

test('changes lead from one listing to the other, and one after the other to the last', () => {
  fc.assert(
    fc.property(listings, listings, listings, (base, first, second) => {
      const toFirst = changesBetween(base, first)
      expect(applyChanges(base, toFirst)).toEqual(first)
      const toSecond = followedBy(base, toFirst, changesBetween(first, second))
      expect(toSecond).toEqual(changesBetween(base, second))
      expect(changesFrom(base, toFirst, toSecond)).toEqual(changesBetween(first, second))
    }),
  )
})

test('digests are equal when the changes are, and differ when they are not', () => {
  fc.assert(
    fc.property(listings, listings, listings, (base, first, second) => {
      const digest = (next: Map<string, TreeFile>) =>
        digestAfter({ digest: 'sha256:base' }, changesBetween(base, next))
      const isSame = changesBetween(first, second).size === 0
      expect(digest(first) === digest(second)).toBe(isSame)
      expect(digest(base)).toBe('sha256:base')
    }),
  )
})
