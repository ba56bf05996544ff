import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type GitServer, git, startGitServer, temporaryDirectory } from '@setpoint/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GitError } from '../errors.ts'
import type { PackLimits } from './limits.ts'
import { ObjectStore } from './object-store.ts'
import { removeUnfinished, storePack } from './store-pack.ts'
import {
  BLOB,
  chain,
  distance,
  gitBytes,
  inPieces,
  OFS_DELTA,
  object,
  packOf,
  REF_DELTA,
} from './test-packs.ts'

const MIB = 1024 * 1024
const limits: PackLimits = {
  maxObjectBytes: 8 * MIB,
  maxUnpackedBytes: 64 * MIB,
  maxObjects: 5_000,
  maxRatio: 500,
  maxDeltaDepth: 50,
}

/** A repository with files that grow, small and large, over some commits. */
let origin: { dir: string; ids: string }
let server: GitServer
beforeAll(async () => {
  server = await startGitServer()
  const repo = await server.create('origin')
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(50_000))).toString('hex')
  const large = Buffer.from(Array.from({ length: 700_000 }, (_, n) => (n * n) % 251))
  for (let n = 0; n < 12; n += 1)
    await repo.commit({
      'large.bin': Buffer.concat([large, Buffer.from(`${n}`), large.subarray(n)]),
      'middle.txt': `${random}${n}\n${random}`,
      ...Object.fromEntries(
        Array.from({ length: 20 }, (_, at) => [`dir-${at % 3}/f-${at}`, `${'line\n'.repeat(at * 40)}${n}`]),
      ),
      [`empty-${n}`]: '',
    })
  await repo.tag('v1', { message: 'a tag' })
  const list = ['cat-file', '--batch-all-objects', '--batch-check=%(objectname)']
  const ids = `${await git(list, { cwd: repo.dir })}\n`
  origin = { dir: repo.dir, ids }
})
afterAll(() => server[Symbol.asyncDispose]())

async function emptyRepository() {
  const home = await temporaryDirectory('store')
  await git(['init', '--quiet', '--bare', home.path])
  return home
}

const store = (dir: string, pack: Buffer) => storePack(new ObjectStore(dir), inPieces(pack), limits)

/** Reading compares the hash of each. */
async function readAll(dir: string, ids: string) {
  const objects = new ObjectStore(dir)
  for (const oid of ids.trim().split('\n')) await objects.read(oid)
}

describe('a pack of the real git', () => {
  test.each([
    ['without deltas', ['--window=0']],
    ['with deltas by distance', ['--delta-base-offset']],
    ['with deltas by name', []],
    ['with long chains by distance', ['--delta-base-offset', '--depth=50', '--window=250']],
    ['with chains of two by name', ['--depth=2', '--window=50']],
    ['in a level of compression that leaves everything as it is', ['--delta-base-offset', '--compression=0']],
  ])('%s is stored as git itself would', async (_what, options) => {
    await using home = await emptyRepository()
    const pack = gitBytes(
      origin.dir,
      ['pack-objects', '--no-reuse-delta', '--stdout', '-q', ...options],
      origin.ids,
    )
    const { name, objects, bytes } = await store(home.path, pack)
    expect({ objects, bytes }).toEqual({ objects: origin.ids.trim().split('\n').length, bytes: pack.length })
    const path = join(new ObjectStore(home.path).directory, name)
    await writeFile(join(home.path, 'git.pack'), pack)
    await git(['index-pack', '--index-version=2', 'git.pack'], { cwd: home.path })
    expect(await readFile(`${path}.idx`)).toEqual(await readFile(join(home.path, 'git.idx')))
    await git(['verify-pack', `${path}.idx`])
    await readAll(home.path, origin.ids)
    expect(await readdir(new ObjectStore(home.path).directory)).toEqual([`${name}.idx`, `${name}.pack`])
  })

  test('whose bases are in a pack that is here already gets them, and is whole', async () => {
    await using home = await emptyRepository()
    const run = (input: string, ...more: string[]) =>
      gitBytes(origin.dir, ['pack-objects', '--revs', '--stdout', '-q', '--thin', ...more], input)
    await store(home.path, run('main~2\n'))
    const thin = run('main\n^main~2\n', '--delta-base-offset')
    const count = thin.readUInt32BE(8)
    const { name, objects } = await store(home.path, thin)
    expect(objects).toBeGreaterThan(count)
    await git(['verify-pack', join(new ObjectStore(home.path).directory, `${name}.idx`)])
    await git(['update-ref', 'refs/heads/main', await git(['rev-parse', 'main'], { cwd: origin.dir })], {
      cwd: home.path,
    })
    await git(['fsck', '--full', '--strict'], { cwd: home.path })
    await using other = await emptyRepository()
    await expect(store(other.path, thin)).rejects.toMatchObject({ code: 'Damaged' })
  })

  test('without objects is not kept', async () => {
    await using home = await emptyRepository()
    expect(await store(home.path, packOf([]))).toMatchObject({ objects: 0 })
    expect(await readdir(new ObjectStore(home.path).directory)).toEqual([])
  })

  test('that arrives after others is noticed', async () => {
    await using home = await emptyRepository()
    const objects = new ObjectStore(home.path)
    const [oid = ''] = origin.ids.split('\n')
    expect(await objects.find(oid)).toBeUndefined()
    await store(home.path, gitBytes(origin.dir, ['pack-objects', '--stdout', '-q'], origin.ids))
    expect(await objects.find(oid)).toBeDefined()
  })
})

describe('a pack', () => {
  test.each<[string, Buffer, string]>([
    ['that is a bomb', packOf([object(BLOB, Buffer.alloc(9 * MIB))]), 'more than the limit of 8388608'],
    [
      'of many small bombs',
      packOf(Array.from({ length: 9 }, () => object(BLOB, Buffer.alloc(8 * MIB)))),
      'unpacked, it has more',
    ],
    [
      'whose object is larger than it says',
      packOf([object(BLOB, Buffer.alloc(9 * MIB), { size: 10 })]),
      'larger than it says',
    ],
    [
      'whose large object is larger than it says',
      packOf([object(BLOB, Buffer.alloc(9 * MIB), { size: 2 * MIB })]),
      'larger than it says',
    ],
    [
      'whose object is smaller than it says',
      packOf([object(BLOB, Buffer.from('x'), { size: 10 })]),
      'another size',
    ],
    [
      'whose large object is smaller than it says',
      packOf([object(BLOB, Buffer.from('x'), { size: 2 * MIB })]),
      'another size',
    ],
    ['with an endless chain of deltas', packOf(chain(60)), 'longer than the limit of 50'],
    [
      'with a delta that makes something huge',
      packOf([
        ...chain(0),
        object(OFS_DELTA, Buffer.from([1, 0xff, 0xff, 0xff, 0x7f, 0x90, 1]), {
          between: distance(chain(0)[0]?.length ?? 0),
        }),
      ]),
      'more than the limit',
    ],
    [
      'with a delta on nothing',
      packOf([object(OFS_DELTA, Buffer.from([1, 1, 0x90, 1]), { between: distance(5) })]),
      'base that is not before it',
    ],
    [
      'with a delta on itself',
      packOf([object(OFS_DELTA, Buffer.from([1, 1, 0x90, 1]), { between: distance(0) })]),
      'base that is not before it',
    ],
    [
      'with a delta on a name that nobody has',
      packOf([object(REF_DELTA, Buffer.from([1, 1, 0x90, 1]), { between: Buffer.alloc(20, 7) })]),
      'deltas on objects that the copy on disk does not have',
    ],
    [
      'with a delta that copies what its base has not',
      packOf([
        ...chain(0),
        object(OFS_DELTA, Buffer.from([1, 2, 0x90, 2]), { between: distance(chain(0)[0]?.length ?? 0) }),
      ]),
      'beyond its end',
    ],
    ['with fewer objects than it says', packOf(chain(3), { count: 9 }), 'fewer objects than it says'],
    ['with more objects than it says', packOf(chain(3), { count: 2 }), 'other bytes than it says'],
    ['with too many objects', packOf(chain(3), { count: 5_001 }), 'more than the limit of 5000'],
    [
      'whose hash is wrong',
      Buffer.concat([packOf(chain(1)).subarray(0, -1), Buffer.from([0])]),
      'hash is wrong',
    ],
    ['that is none', Buffer.from('<html>'.repeat(20)), 'does not start like one'],
    ['that ends at once', Buffer.from('PACK'), 'ends too early'],
  ])('%s is refused, and leaves nothing behind', async (_what, pack, message) => {
    await using home = await temporaryDirectory('store')
    await expect(store(home.path, pack)).rejects.toThrow(message)
    expect(await readdir(new ObjectStore(home.path).directory)).toEqual([])
  })

  /** A chain of deltas on half a MiB, where each object has one more delta that is the end of its branch. */
  function comb(length: number): Buffer {
    const size = MIB / 2
    const delta = (mark: number) =>
      Buffer.from([0x80, 0x80, 0x20, 0x80, 0x80, 0x20, 0xf0, 0xff, 0xff, 0x07, 1, mark])
    const objects = [object(BLOB, Buffer.alloc(size))]
    let [tip, end] = [0, objects[0]?.length ?? 0]
    for (let n = 0; n < length; n += 1) {
      const leaf = object(OFS_DELTA, delta(1), { between: distance(end - tip) })
      end += leaf.length
      const next = object(OFS_DELTA, delta(2), { between: distance(end - tip) })
      objects.push(leaf, next)
      tip = end
      end += next.length
    }
    return packOf(objects)
  }

  test('whose bases are more than is held is taken', async () => {
    await using home = await temporaryDirectory('store')
    const wide = { ...limits, maxUnpackedBytes: 512 * MIB, maxDeltaDepth: 200 }
    const { objects } = await storePack(new ObjectStore(home.path), inPieces(comb(150)), wide)
    expect(objects).toBe(301)
  })

  test('whose deltas can only be made by making the same again and again is refused', async () => {
    await using home = await temporaryDirectory('store')
    const wide = { ...limits, maxUnpackedBytes: 400 * MIB, maxDeltaDepth: 400 }
    await expect(storePack(new ObjectStore(home.path), inPieces(comb(390)), wide)).rejects.toThrow(
      'take too long',
    )
  })

  test('with an object that is compressed more than honest ones are is refused, whatever its size may be', async () => {
    await using home = await temporaryDirectory('store')
    const wide = { ...limits, maxObjectBytes: 64 * MIB }
    const bomb = packOf([object(BLOB, Buffer.alloc(17 * MIB))])
    const storing = storePack(new ObjectStore(home.path), inPieces(bomb), wide)
    await expect(storing).rejects.toThrow('more than 500 times its size')
  })

  test('with a chain within the limit is taken', async () => {
    await using home = await temporaryDirectory('store')
    expect(await store(home.path, packOf(chain(50)))).toMatchObject({ objects: 51 })
  })

  test('that was stored half when everything stopped is deleted, a whole one is not', async () => {
    await using home = await temporaryDirectory('store')
    const { name } = await store(home.path, packOf(chain(1)))
    for (const file of ['tmp_pack_1', 'tmp_idx_1', 'pack-1.pack'])
      await writeFile(join(new ObjectStore(home.path).directory, file), '')
    await removeUnfinished(new ObjectStore(home.path))
    expect(await readdir(new ObjectStore(home.path).directory)).toEqual([`${name}.idx`, `${name}.pack`])
  })
})

describe('whatever comes', () => {
  const runs = { numRuns: Number(process.env.FUZZ_RUNS ?? 100) }

  /** A good pack with some bytes changed; its hash may be made right again. */
  function edited(good: Buffer, edits: [number, number][], isHashed: boolean): Buffer {
    const pack = Buffer.from(good)
    for (const [at, byte] of edits) pack[at % pack.length] = byte
    return isHashed ? packOf([pack.subarray(12, -20)], { count: pack.readUInt32BE(8) }) : pack
  }

  test('a pack is refused with a GitError, or taken and good for git', async () => {
    await using home = await temporaryDirectory('fuzz')
    const few = `${origin.ids.split('\n').slice(0, 30).join('\n')}\n`
    const packed = (...options: string[]) =>
      gitBytes(origin.dir, ['pack-objects', '--stdout', '-q', ...options], few)
    const goods = [packOf(chain(10)), packed(), packed('--delta-base-offset')]
    await fc.assert(
      fc.asyncProperty(
        fc.nat(goods.length - 1),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
        fc.boolean(),
        async (which, edits, isHashed) => {
          try {
            const { name } = await store(home.path, edited(goods[which] ?? packOf([]), edits, isHashed))
            if (name !== '')
              gitBytes(home.path, ['verify-pack', join(new ObjectStore(home.path).directory, `${name}.idx`)])
          } catch (error) {
            expect(error).toBeInstanceOf(GitError)
          }
        },
      ),
      runs,
    )
    expect(
      (await readdir(new ObjectStore(home.path).directory)).filter((file) => file.startsWith('tmp_')),
    ).toEqual([])
  })
})
