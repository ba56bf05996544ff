import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { zstdCompressSync } from 'node:zlib'
import { temporaryDirectory } from '@setpoint/testkit'
import { describe, expect, test } from 'vitest'
import { packContainer } from './container.ts'
import { applyDelta, blobsOfDelta, encodeDelta } from './delta.ts'
import { MemoryTree } from './memory-tree.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts'
import { writeTarGz } from './tar-gz.ts'
import { type FileContents, type TreeFile, treeDigest } from './tree-file.ts'

function file(path: string, text: string, mode: TreeFile['mode'] = '100644'): FileContents {
  const content = Buffer.from(text)
  const blobId = createHash('sha1').update(content).digest('hex')
  return { file: { path, blobId, mode, size: content.length }, content }
}

const tree = (...files: FileContents[]) => new Map(files.map((contents) => [contents.file.path, contents]))
const listing = (files: Map<string, FileContents>) =>
  new Map([...files].map(([path, contents]) => [path, contents.file]))
const texts = (files: Iterable<FileContents>) =>
  Object.fromEntries([...files].map(({ file, content }) => [file.path, Buffer.from(content).toString()]))
const reader = (files: Map<string, FileContents>) => (blobId: string) =>
  [...files.values()].find((contents) => contents.file.blobId === blobId)?.content ?? new Uint8Array()

describe('tree digest', () => {
  const [a, b] = [file('a', '1').file, file('b', '2').file]
  test('does not depend on the order', () => expect(treeDigest([a, b])).toBe(treeDigest([b, a])))
  test('changes with a mode', () => expect(treeDigest([{ ...a, mode: '100755' }])).not.toBe(treeDigest([a])))
})

describe('snapshot', () => {
  const files = [
    file('b/x.yaml', 'same'),
    file('a.yaml', 'same'),
    file('run', 'go', '100755'),
    file('empty', ''),
  ]
  test('comes back as it was, in the order of paths', () => {
    const decoded = decodeSnapshot(encodeSnapshot(files))
    expect(texts(decoded)).toEqual({ 'a.yaml': 'same', 'b/x.yaml': 'same', empty: '', run: 'go' })
    expect(treeDigest(decoded.map((contents) => contents.file))).toBe(treeDigest(files.map((f) => f.file)))
  })
  test('equal trees give equal bytes', () =>
    expect(encodeSnapshot([...files].reverse())).toEqual(encodeSnapshot(files)))
  test('a bomb is refused by its unpacked size', () => {
    const bytes = encodeSnapshot([file('zeros', '0'.repeat(10_000_000))])
    expect(bytes.length).toBeLessThan(5_000)
    expect(() => decodeSnapshot(bytes, { maxBytes: 1_000_000 })).toThrow(
      expect.objectContaining({ code: 'TooLarge' }),
    )
  })
  test.each([
    ['cut short', encodeSnapshot(files).subarray(0, 20)],
    ['no snapshot at all', zstdCompressSync(Buffer.from('hello'))],
    ['a listing without contents', packContainer('SPS1', { files: [['a', 'id', '100644', 5]] }, [])],
    ['a path that leaves the tree', packContainer('SPS1', { files: [['../a', 'id', '100644', 0]] }, [])],
  ])('%s is refused as damaged', (_situation, bytes) =>
    expect(() => decodeSnapshot(bytes)).toThrow(expect.objectContaining({ code: 'Damaged' })),
  )
})

describe('delta', () => {
  const before = tree(file('a', '1'), file('b', '2'), file('gone', '3'), file('mode', '4'))
  const after = tree(file('a', 'new'), file('b', '2'), file('moved', '3'), file('mode', '4', '100755'))
  const bytes = encodeDelta(listing(before), listing(after), reader(after))

  test('makes the next tree of the previous one', () => {
    const applied = applyDelta(before, bytes)
    expect(texts(applied.values())).toEqual(texts(after.values()))
    expect(treeDigest(listing(applied).values())).toBe(treeDigest(listing(after).values()))
  })
  test('carries only contents that the base has nowhere', () =>
    expect(blobsOfDelta(listing(before), listing(after)).map(({ path }) => path)).toEqual(['a']))
  test('is refused on another base', () =>
    expect(() => applyDelta(after, bytes)).toThrow(expect.objectContaining({ code: 'Damaged' })))
  test('of equal trees is small and changes nothing', () => {
    const none = encodeDelta(listing(before), listing(before), reader(before))
    expect(none.length).toBeLessThan(200)
    expect(applyDelta(before, none)).toEqual(before)
  })
})

describe('memory tree', () => {
  const files = new MemoryTree([
    file('a/b/c.yaml', 'c'),
    file('a/d.yaml', 'd'),
    file('link', 'a/d.yaml', '120000'),
  ])
  test('lists directories', () =>
    expect([files.list(''), files.list('a')]).toEqual([
      ['a', 'link'],
      ['b', 'd.yaml'],
    ]))
  test('knows kinds', () =>
    expect(['', 'a/b', 'a/d.yaml', 'link', 'x'].map((path) => files.kind(path))).toEqual([
      'directory',
      'directory',
      'file',
      'symlink',
      undefined,
    ]))
  test('reads files, and links only as links', () => {
    expect(Buffer.from(files.read('a/b/c.yaml') ?? '').toString()).toBe('c')
    expect(files.read('link')).toBeUndefined()
    expect(files.readlink('link')).toBe('a/d.yaml')
  })
})

describe('archive', () => {
  const long = `${'directory/'.repeat(15)}üñí.yaml`
  const files = [
    file('a.yaml', 'x'),
    file('a/b.yaml', 'y'),
    file('run', 'z', '100755'),
    file('l', 'a', '120000'),
    file(long, 'deep'),
  ]

  test('has Flux’s order, modes and no symlinks, as tar reads it', async () => {
    await using home = await temporaryDirectory('tar')
    await writeFile(join(home.path, 'x.tar.gz'), (await writeTarGz(files)).bytes)
    const { stdout } = await promisify(execFile)('tar', ['tvzf', 'x.tar.gz', '--full-time', '--utc'], {
      cwd: home.path,
    })
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/))
    expect(lines.slice(0, 3).map((parts) => [parts[0], parts[1], parts[3], parts[5]])).toEqual([
      ['drwxr-x---', '0/0', '1970-01-01', 'a/'],
      ['-rw-------', '0/0', '1970-01-01', 'a/b.yaml'],
      ['-rw-------', '0/0', '1970-01-01', 'a.yaml'],
    ])
    expect(lines.at(-1)?.[0]).toBe('-rwx------')
    expect(lines.some((parts) => parts[5] === 'l')).toBe(false)
    const deep = await promisify(execFile)('tar', ['xOzf', 'x.tar.gz', long], { cwd: home.path })
    expect(deep.stdout).toBe('deep')
  })

  test('the same tree gives the same digest', async () =>
    expect((await writeTarGz([...files].reverse())).digest).toBe((await writeTarGz(files)).digest))
})
