import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { MemoryTree } from './memory-tree.ts'
import { applyDelta, decodeSnapshot, encodeDelta, encodeSnapshot } from './pack.ts'
import { writeTarGz } from './tar-gz.ts'
import { changedPaths, type FileContents, type FileMode, treeDigest } from './tree.ts'

function file(path: string, text: string, mode: FileMode = '100644'): [string, FileContents] {
  const content = Buffer.from(text)
  return [path, { path, blobId: `id-${text}`, mode, size: content.length, content }]
}

const base = new Map([file('apps/web/a.yaml', 'a'), file('apps/web/b.yaml', 'b'), file('README.md', 'read')])
const next = new Map([
  file('apps/web/a.yaml', 'a2'),
  file('README.md', 'read'),
  file('run.sh', 'x', '100755'),
])
const texts = (files: Map<string, FileContents>) =>
  Object.fromEntries([...files].map(([path, { content, mode }]) => [path, `${mode} ${Buffer.from(content)}`]))

describe('a file tree in one piece', () => {
  test('comes back from a snapshot as it was', async () => {
    expect(texts(await decodeSnapshot(await encodeSnapshot(base.values())))).toEqual(texts(base))
  })

  test('is made of its base and a delta that holds only what differs', async () => {
    const read: string[] = []
    const delta = await encodeDelta(base, next, (wanted) => {
      read.push(wanted.path)
      return next.get(wanted.path)?.content ?? Buffer.alloc(0)
    })
    expect(read).toEqual(['apps/web/a.yaml', 'run.sh'])
    expect(texts(await applyDelta(base, delta))).toEqual(texts(next))
  })

  test('that unpacks to more than the limit is refused', async () => {
    const bomb = await encodeSnapshot([file('zeros', '0'.repeat(10_000_000))[1]])
    await expect(decodeSnapshot(bomb, { maxBytes: 1_000_000, maxFiles: 10 })).rejects.toThrow(
      'larger than 1000000',
    )
  })

  test('that is damaged or cut off is refused', async () => {
    const bytes = await encodeSnapshot(base.values())
    await expect(decodeSnapshot(bytes.subarray(0, 20))).rejects.toThrow('a file tree')
    await expect(decodeSnapshot(Buffer.from('no zstd'))).rejects.toThrow('damaged')
  })
})

test('equal files have the same digest in any order, and one changed mode another', () => {
  const files = [...base.values()]
  expect(treeDigest(files)).toBe(treeDigest([...files].reverse()))
  expect(treeDigest(files)).not.toBe(
    treeDigest([...base.values()].map((one) => ({ ...one, mode: '100755' as const }))),
  )
})

test('changed paths are those added, removed and modified', () => {
  expect(changedPaths(base, next).sort()).toEqual(['apps/web/a.yaml', 'apps/web/b.yaml', 'run.sh'])
})

test('a memory tree lists directories and tells links from files', () => {
  const tree = new MemoryTree(new Map([...base, file('apps/link', '../secret', '120000')]))
  expect(tree.list('')).toEqual(['README.md', 'apps'])
  expect(tree.list('apps/web')).toEqual(['a.yaml', 'b.yaml'])
  expect([tree.kind('apps'), tree.kind('apps/link'), tree.kind('README.md'), tree.kind('none')]).toEqual([
    'directory',
    'symlink',
    'file',
    undefined,
  ])
  expect(tree.readlink('apps/link')).toBe('../secret')
  expect(tree.read('apps/link')).toBeUndefined()
})

test('an archive holds directories and files in order with Flux’s modes, no links, and the same bytes each time', async () => {
  const files = [...next.values(), file('link', 'run.sh', '120000')[1]]
  const archive = await writeTarGz(files)
  expect((await writeTarGz([...files].reverse())).digest).toBe(archive.digest)
  const listing = execFileSync('tar', ['-tvzf', '-', '--utc'], { input: archive.bytes }).toString()
  const rows = listing
    .trim()
    .split('\n')
    .map((line) => [line.slice(0, 10), line.split(' ').at(-1)].join(' '))
  expect(rows).toEqual([
    '-rw------- README.md',
    'drwxr-x--- apps/',
    'drwxr-x--- apps/web/',
    '-rw------- apps/web/a.yaml',
    '-rwx------ run.sh',
  ])
  expect(listing).toContain('1970-01-01 00:00')
})
