import fc from 'fast-check'
import { expect, test } from 'vitest'
import { changesBetween } from './changes.ts'
import { MemoryTree } from './memory-tree.ts'
import type { FileContents, TreeFile } from './tree-file.ts'

type Files = Record<string, string>

function contents(path: string, text: string): FileContents {
  const isLink = text.startsWith('l')
  const file: TreeFile = { path, blobId: text, mode: isLink ? '120000' : '100644', size: text.length }
  return { file, content: Buffer.from(text) }
}

const listed = (files: Files) =>
  new Map(Object.entries(files).map(([path, text]) => [path, contents(path, text).file]))

const treeOf = (files: Files) =>
  new MemoryTree(Object.entries(files).map(([path, text]) => contents(path, text)))

/** Changed as a delta to a snapshot is. */
const after = (base: MemoryTree, from: Files, to: Files) =>
  base.after(changesBetween(listed(from), listed(to)), ({ path }) => contents(path, to[path] ?? ''))

/** Every path that a build could look at. */
const PARTS = ['', 'a', 'b', 'c']
const PATHS = PARTS.flatMap((one) => PARTS.flatMap((two) => PARTS.map((three) => [one, two, three])))
  .map((parts) => parts.filter((part) => part !== '').join('/'))
  .filter((path, index, all) => all.indexOf(path) === index)

const look = (tree: MemoryTree, path: string) => ({
  path,
  kind: tree.kind(path),
  id: tree.id(path),
  text: tree.read(path)?.toString(),
  link: tree.readlink(path),
  list: tree.list(path),
})

/** No path is a file and a directory at once. */
const trees = fc
  .dictionary(fc.stringMatching(/^[abc](?:\/[abc]){0,2}$/), fc.stringMatching(/^[lx][12]$/))
  .map((files) =>
    Object.fromEntries(
      Object.entries(files).filter(
        ([path]) => !Object.keys(files).some((other) => other.startsWith(`${path}/`)),
      ),
    ),
  )

test('a tree after changes is what a tree of all of its files is', () => {
  fc.assert(
    fc.property(trees, trees, (first, second) => {
      const changed = after(treeOf(first), first, second)
      const anew = treeOf(second)
      expect(PATHS.map((path) => look(changed, path))).toEqual(PATHS.map((path) => look(anew, path)))
      expect([...changed.all()].map(({ file }) => file.path).sort()).toEqual(Object.keys(second).sort())
    }),
    { numRuns: 500 },
  )
})

test('what two trees do not name as a difference is the same in both', () => {
  fc.assert(
    fc.property(trees, trees, trees, (snapshot, first, second) => {
      const base = treeOf(snapshot)
      const [one, two] = [after(base, snapshot, first), after(base, snapshot, second)]
      const differences = two.differences(one)
      const same = PATHS.filter((path) => !differences?.has(path))
      expect(same.map((path) => look(two, path))).toEqual(same.map((path) => look(one, path)))
      expect(two.differences(two)).toEqual(new Set())
      expect(base.differences(base)).toEqual(new Set())
    }),
    { numRuns: 500 },
  )
})

test('trees of different snapshots do not say what differs', () => {
  expect(treeOf({ a: 'x1' }).differences(treeOf({ a: 'x1' }))).toBeUndefined()
})
