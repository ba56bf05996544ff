import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { temporaryDirectory } from '@setpoint/testkit'
import { expect, test } from 'vitest'
import { ArchiveMembers } from './archive-members.ts'
import { ArchiveOutline } from './archive-outline.ts'
import { writeTarGz } from './tar-gz.ts'
import type { TreeFile } from './tree-file.ts'

const run = promisify(execFile)

class Contents {
  readonly reads: string[] = []
  private readonly byId = new Map<string, Uint8Array>()

  file(path: string, text: string | Buffer): TreeFile {
    const content = Buffer.from(text as string)
    const blobId = createHash('sha256').update(content).digest('hex')
    this.byId.set(blobId, content)
    return { path, blobId, mode: '100644', size: content.length }
  }

  archive(files: Iterable<TreeFile>, members?: ArchiveMembers): Promise<Buffer> {
    const read = ({ path, blobId }: TreeFile) => {
      this.reads.push(path)
      return this.byId.get(blobId) ?? Buffer.alloc(0)
    }
    return buffer(writeTarGz(ArchiveOutline.of(files), read, members))
  }
}

const many = (contents: Contents) =>
  Array.from({ length: 1_000 }, (_, n) => contents.file(`apps/app-${n % 200}/${n}.yaml`, `number: ${n}\n`))

test('of an archive that differs in one file from the one before, only what is beside that file is made anew', async () => {
  const contents = new Contents()
  const members = new ArchiveMembers(1024 * 1024)
  const files = many(contents)
  await contents.archive(files, members)
  const changed = files.map((file) =>
    file.path === 'apps/app-7/7.yaml' ? contents.file(file.path, 'other') : file,
  )
  const anew = await contents.archive(changed)
  contents.reads.length = 0
  expect(await contents.archive(changed, members)).toEqual(anew)
  expect(contents.reads.length).toBeLessThan(400)
  expect(contents.reads).toContain('apps/app-7/7.yaml')
})

test('archives are the same whatever is remembered of others, and in which order the files come', async () => {
  const contents = new Contents()
  const files = many(contents)
  const plain = await contents.archive(files)
  for (const maxBytes of [0, 2_000, 1024 * 1024]) {
    const members = new ArchiveMembers(maxBytes)
    await contents.archive(files.slice(0, 500), members)
    expect(await contents.archive(files.toReversed(), members)).toEqual(plain)
  }
})

test('tar unpacks it, with small files and one of some megabytes', async () => {
  const contents = new Contents()
  const large = Buffer.from(Array.from({ length: 60_000 }, () => crypto.randomUUID()).join('\n'))
  const files = [...many(contents), contents.file('large.bin', large)]
  await using directory = await temporaryDirectory('tar')
  await writeFile(join(directory.path, 'a.tar.gz'), await contents.archive(files))
  await run('tar', ['xzf', 'a.tar.gz'], { cwd: directory.path })
  const listed = await run('find', ['apps', 'large.bin', '-type', 'f'], { cwd: directory.path })
  expect(listed.stdout.trim().split('\n')).toHaveLength(1_001)
  const sum = await run('sha256sum', ['large.bin'], { cwd: directory.path })
  expect(sum.stdout).toContain(createHash('sha256').update(large).digest('hex'))
})
