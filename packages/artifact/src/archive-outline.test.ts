import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ArchiveOutline } from './archive-outline.ts'
import { applyChanges, type Changes } from './changes.ts'
import type { TreeFile } from './tree-file.ts'

const file = (path: string, blobId: string, size: number): TreeFile => ({
  path,
  blobId,
  mode: '100644',
  size,
})

/** Paths of which some end a member. */
const paths = fc.tuple(fc.nat(20), fc.nat(30)).map(([app, n]) => `apps/app-${app}/${n}.yaml`)
const sizes = fc.constantFrom(10, 1_000, 200_000, 300_000)
const listings = fc
  .uniqueArray(fc.tuple(paths, sizes), { selector: ([path]) => path, maxLength: 300 })
  .map((all) => new Map(all.map(([path, size]) => [path, file(path, 'old', size)])))

test('an outline after other contents is that of the tree with these contents, or none', () => {
  let [made, total] = [0, 0]
  fc.assert(
    fc.property(listings, fc.array(fc.tuple(fc.nat(400), sizes), { maxLength: 4 }), (files, edits) => {
      const all = [...files.keys()]
      const changes: Changes = new Map(
        edits.flatMap(([at, size]) => {
          const path = all[at % (all.length + 1)] ?? 'apps/new.yaml'
          return [[path, file(path, 'new', size)]]
        }),
      )
      const after = ArchiveOutline.of(files.values()).after(changes)
      total += 1
      if (after === undefined) return
      made += 1
      expect(after).toEqual(ArchiveOutline.of(applyChanges(files, changes).values()))
    }),
    { numRuns: 500 },
  )
  expect(made).toBeGreaterThan(total / 4)
})

test('files that come or go need another outline', () => {
  const outline = ArchiveOutline.of([file('a', '1', 1), file('b', '1', 1)])
  expect(outline.after(new Map([['a', undefined]]))).toBeUndefined()
  expect(outline.after(new Map([['c', file('c', '1', 1)]]))).toBeUndefined()
  expect(outline.after(new Map([['a', { ...file('a', '1', 1), mode: '120000' }]]))).toBeUndefined()
})
