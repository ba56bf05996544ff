import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { pack } from 'tar-stream'
import { describe, expect, test } from 'vitest'
import { ArchiveOutline } from './archive-outline.ts'
import { type ArchiveLimits, readTarGz } from './read-tar-gz.ts'
import { writeTarGz } from './tar-gz.ts'
import type { FileContents, TreeFile } from './tree-file.ts'

const limits: ArchiveLimits = { maxBytes: 1000, maxFileBytes: 500, maxFiles: 20, maxDepth: 5, maxRatio: 500 }

type Header = Parameters<ReturnType<typeof pack>['entry']>[0]

async function tarGz(...entries: (Header & { content?: string })[]): Promise<Uint8Array> {
  const archive = pack()
  for (const { content = '', ...header } of entries) archive.entry(header, content)
  archive.finalize()
  return gzipSync(await buffer(archive as never))
}

const textsOf = async (bytes: Uint8Array) =>
  Object.fromEntries(
    [...(await readTarGz(bytes, limits))].map(([path, { content }]) => [
      path,
      Buffer.from(content).toString(),
    ]),
  )

test('the files of an archive, without ./ and directories; the last one at a path counts', async () => {
  const bytes = await tarGz(
    { name: './', type: 'directory' },
    { name: './app/', type: 'directory' },
    { name: './app/a.yaml', content: 'a: 1' },
    { name: 'app/a.yaml', content: 'a: 2' },
    { name: `${'long/'.repeat(3)}${'x'.repeat(150)}`, content: 'long' },
  )
  expect(await textsOf(bytes)).toEqual({
    'app/a.yaml': 'a: 2',
    [`long/long/long/${'x'.repeat(150)}`]: 'long',
  })
})

test('symlinks are left out, wherever they point', async () => {
  const bytes = await tarGz(
    { name: 'out', type: 'symlink', linkname: '/etc/passwd' },
    { name: 'up', type: 'symlink', linkname: '../../secret' },
    { name: 'a.yaml', content: 'a: 1' },
  )
  expect(await textsOf(bytes)).toEqual({ 'a.yaml': 'a: 1' })
})

test('what writeTarGz packs comes back, to the same archive', async () => {
  const bytes = await tarGz({ name: 'run.sh', mode: 0o755, content: 'x' }, { name: 'd/a', content: 'a' })
  const files = await readTarGz(bytes, limits)
  const archive = await packed(files)
  expect(await packed(await readTarGz(archive, limits))).toEqual(archive)
  expect(files.get('run.sh')?.file.mode).toBe('100755')
})

async function packed(files: Map<string, FileContents>): Promise<Buffer> {
  const listed = [...files.values()].map(({ file }) => file)
  const read = ({ path }: TreeFile) => files.get(path)?.content ?? new Uint8Array()
  return buffer(writeTarGz(ArchiveOutline.of(listed), read))
}

describe('refused as a whole', () => {
  test.each<[string, string, Header & { content?: string }]>([
    ['a path with ..', 'IllegalPath', { name: '../evil', content: 'x' }],
    ['a path with .. within', 'IllegalPath', { name: 'a/../../evil', content: 'x' }],
    ['an absolute path', 'IllegalPath', { name: '/etc/passwd', content: 'x' }],
    ['a backslash', 'IllegalPath', { name: 'a\\..\\evil', content: 'x' }],
    ['a hard link', 'Unsupported', { name: 'hard', type: 'link', linkname: '/etc/passwd' }],
    ['a device', 'Unsupported', { name: 'null', type: 'character-device' }],
    ['a pipe', 'Unsupported', { name: 'pipe', type: 'fifo' }],
    ['a file over the limit', 'TooLarge', { name: 'big', content: 'x'.repeat(501) }],
    ['a path that is too deep', 'TooLarge', { name: 'a/b/c/d/e/f/g', content: 'x' }],
  ])('%s', async (_what, code, entry) => {
    const bytes = await tarGz({ name: 'fine.yaml', content: 'x' }, entry)
    await expect(readTarGz(bytes, limits)).rejects.toMatchObject({ name: 'ArtifactError', code })
  })

  test('a file that is a directory to others', async () => {
    const bytes = await tarGz({ name: 'a', content: 'x' }, { name: 'a/b', content: 'x' })
    await expect(readTarGz(bytes, limits)).rejects.toMatchObject({ code: 'IllegalPath' })
  })

  test('too many bytes, and too many entries', async () => {
    const three = ['a', 'b', 'c'].map((name) => ({ name, content: 'x'.repeat(400) }))
    await expect(readTarGz(await tarGz(...three), limits)).rejects.toMatchObject({ code: 'TooLarge' })
    const many = Array.from({ length: 21 }, (_, index) => ({
      name: `d${index}/`,
      type: 'directory' as const,
    }))
    await expect(readTarGz(await tarGz(...many), limits)).rejects.toMatchObject({ code: 'TooLarge' })
  })

  test('a bomb: no more than the limit is unpacked', async () => {
    const zeros = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    await expect(readTarGz(zeros, limits)).rejects.toMatchObject({ code: 'TooLarge' })
  })

  test('an archive that is compressed more than honest ones are, whatever its size may be', async () => {
    const wide = { ...limits, maxBytes: 100 * 1024 * 1024, maxFileBytes: 100 * 1024 * 1024 }
    const bytes = await tarGz({ name: 'zeros', content: '\0'.repeat(20 * 1024 * 1024) })
    await expect(readTarGz(bytes, wide)).rejects.toThrow('500 times its size')
    expect((await readTarGz(bytes, { ...wide, maxRatio: 2_000 })).size).toBe(1)
  })

  test('no gzip, half a gzip, and a gzip of no tar', async () => {
    const whole = await tarGz({ name: 'a', content: 'x'.repeat(400) })
    for (const bytes of [Buffer.from('{}'), whole.subarray(0, whole.length - 20), gzipSync('x'.repeat(2000))])
      await expect(readTarGz(bytes, limits)).rejects.toMatchObject({ code: 'Damaged' })
  })
})

test('whatever the bytes, the answer is files within the limits or an ArtifactError', async () => {
  const whole = await tarGz({ name: 'a/b.yaml', content: 'x' }, { name: 'c', content: 'y' })
  const tar = gunzipSync(whole)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(tar.length - 1), fc.nat(255)), { maxLength: 8 }),
      async (edits) => {
        const bytes = Buffer.from(tar)
        for (const [at, value] of edits) bytes[at] = value
        const read = readTarGz(gzipSync(bytes), limits)
        const found = await read.catch((error: unknown) => error)
        if (found instanceof Map) for (const path of found.keys()) expect(path.split('/')).not.toContain('..')
        else expect(found).toMatchObject({ name: 'ArtifactError' })
      },
    ),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 200) },
  )
})
