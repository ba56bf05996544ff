import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TreeEntry } from './mirror-types.ts'
import type { TreeItem } from './parse-tree.ts'
import { TreeReader } from './tree-reader.ts'

/** Trees by their id, as a repository holds them. */
class Trees {
  readonly reads: string[] = []
  private readonly items = new Map<string, TreeItem[]>()

  /** The root tree of files, given as mode and content by path. */
  add(files: Record<string, string>): string {
    const names = Map.groupBy(Object.entries(files), ([path]) => path.split('/')[0] ?? '')
    const items = [...names].sort().map(([name, below]): TreeItem => {
      const own = below.find(([path]) => path === name)
      if (own !== undefined) {
        const [mode = '', content = ''] = own[1].split(' ')
        return { name, mode, oid: content, isTree: false, oidAt: 0 }
      }
      const inside = Object.fromEntries(below.map(([path, text]) => [path.slice(name.length + 1), text]))
      return { name, mode: '40000', oid: this.add(inside), isTree: true, oidAt: 0 }
    })
    const oid = createHash('sha1').update(JSON.stringify(items)).digest('hex')
    this.items.set(oid, items)
    return oid
  }

  reader(): TreeReader {
    return new TreeReader(async (oid) => {
      this.reads.push(oid)
      const items = this.items.get(oid)
      if (items === undefined) throw new Error(`no tree ${oid}`)
      return items
    })
  }
}

const listings = fc
  .dictionary(
    fc.stringMatching(/^[abc](?:\/[abc]){0,3}$/),
    fc.constantFrom('100644 1', '100644 2', '100755 1', '120000 3', '160000 4'),
  )
  .map((files) =>
    Object.fromEntries(
      Object.entries(files).filter(
        ([path]) => !Object.keys(files).some((other) => other.startsWith(`${path}/`)),
      ),
    ),
  )

const byPath = (entries: TreeEntry[]) =>
  new Map(entries.filter(({ mode }) => mode !== '160000').map((entry) => [entry.path, entry]))

test('what differs between two trees leads from the files of one to those of the other', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(listings, { minLength: 2, maxLength: 4 }),
      fc.boolean(),
      async (all, isKnown) => {
        const trees = new Trees()
        const roots = all.map((files) => trees.add(files))
        const reader = trees.reader()
        const files = byPath(await (isKnown ? reader : trees.reader()).read(roots[0] ?? ''))
        for (const [index, root] of roots.slice(1).entries()) {
          const { entries, removed } = await reader.changes(roots[index] ?? '', root)
          const expected = byPath(await trees.reader().read(root))
          for (const entry of entries) expect(files.get(entry.path)).not.toEqual(entry)
          for (const path of removed) expect(files.delete(path)).toBe(true)
          for (const entry of entries) files.set(entry.path, entry)
          expect(new Map([...files].sort())).toEqual(new Map([...expected].sort()))
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('only the directories above a change are read', async () => {
  const trees = new Trees()
  const files = Object.fromEntries(
    Array.from({ length: 200 }, (_, n) => [`apps/app-${n}/config.yaml`, `100644 ${n}`]),
  )
  const [from, to] = [trees.add(files), trees.add({ ...files, 'apps/app-7/config.yaml': '100644 other' })]
  const reader = trees.reader()
  await reader.read(from)
  trees.reads.length = 0
  const { entries, removed } = await reader.changes(from, to)
  expect(entries.map(({ path }) => path)).toEqual(['apps/app-7/config.yaml'])
  expect(removed).toEqual([])
  expect(trees.reads).toHaveLength(3)
})
