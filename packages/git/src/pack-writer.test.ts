import { git, temporaryDirectory } from '@setpoint/testkit'
import { expect, it } from 'vitest'
import { PackWriter } from './pack-writer.ts'

it('git reads blobs of every length from a pack', async () => {
  await using home = await temporaryDirectory('pack')
  await git(['init', '--quiet', '--bare', home.path])
  const lengths = [0, 1, 15, 16, 2047, 2048, 300_000]
  const pack = new PackWriter()
  const oids = lengths.map((length) => pack.add('blob', Buffer.alloc(length, 'x')))
  await git(['unpack-objects', '--strict', '-q'], {
    cwd: home.path,
    input: [Buffer.from(await pack.finish())],
  })
  const sizes = await Promise.all(oids.map((oid) => git(['cat-file', '-s', oid], { cwd: home.path })))
  expect(sizes.map(Number)).toEqual(lengths)
})

it('an object that is added twice is in it once', async () => {
  const [once, twice] = [new PackWriter(), new PackWriter()]
  for (const pack of [once, twice, twice]) pack.add('blob', Buffer.from('same'))
  expect(await twice.finish()).toEqual(await once.finish())
})
