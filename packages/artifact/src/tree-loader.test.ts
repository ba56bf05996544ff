import { createHash } from 'node:crypto'
import type { StoredBytes } from '@setpoint/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { changesBetween } from './changes.ts'
import { packContainer } from './container.ts'
import { encodeDelta } from './delta.ts'
import { type Blobs, encodePack, PackBuilder, type PackRef } from './pack.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts'
import { digestOf } from './tar-gz.ts'
import type { TreeFile } from './tree-file.ts'
import { storedPack, TreeLoader } from './tree-loader.ts'

type Texts = Record<string, string>

const idOf = (text: string) => createHash('sha256').update(text).digest('hex')

function listed(files: Texts): Map<string, TreeFile> {
  const all = Object.entries(files).map(([path, text]) => [
    path,
    { path, blobId: idOf(text), mode: '100644' as const, size: Buffer.byteLength(text) },
  ])
  return new Map(all as [string, TreeFile][])
}

/** Stored bytes by name. */
class Shelf {
  readonly bytes = new Map<string, Uint8Array>()
  readonly read: string[] = []

  put(object: string, bytes: Uint8Array): StoredBytes {
    this.bytes.set(object, bytes)
    return { digest: digestOf(bytes), size: bytes.length, object }
  }

  pack(files: Texts): PackRef {
    const bytes = encodePack(new Map(Object.values(files).map((text) => [idOf(text), Buffer.from(text)])))
    const pack = { digest: digestOf(bytes), size: bytes.length, rawBytes: 0 }
    this.bytes.set(storedPack(pack).object ?? '', bytes)
    return pack
  }

  loader(): TreeLoader {
    return new TreeLoader(async ({ object = '' }) => {
      this.read.push(object)
      return this.bytes.get(object) ?? new Uint8Array()
    })
  }
}

async function texts(
  loader: TreeLoader,
  key: string,
  tree: Parameters<TreeLoader['load']>[1],
): Promise<Texts> {
  const files = await loader.load(key, tree)
  return Object.fromEntries(
    [...files.all()].map(({ file, content }) => [file.path, Buffer.from(content).toString()]),
  )
}

const trees = fc.dictionary(fc.stringMatching(/^[a-d](?:\/[a-d]){0,2}$/), fc.string())

test('whatever two trees hold, the second one comes back from the snapshot of the first and a delta', async () => {
  await fc.assert(
    fc.asyncProperty(trees, trees, fc.boolean(), async (first, second, isPacked) => {
      const shelf = new Shelf()
      const [old, fresh] = [shelf.pack(first), shelf.pack(second)]
      const bytes = encodeSnapshot(listed(first).values(), () => old)
      const snapshot = decodeSnapshot(bytes)
      const carried = new Map(Object.values(second).map((text) => [idOf(text), Buffer.from(text)]))
      const delta = encodeDelta(snapshot, changesBetween(snapshot.files, listed(second)), {
        carried: isPacked ? new Map() : carried,
        packOf: () => fresh,
      })
      const tree = { snapshot: shelf.put('s', bytes), delta: shelf.put('d', delta) }
      expect(await texts(shelf.loader(), 'one', tree)).toEqual(second)
    }),
    { numRuns: 50 },
  )
})

test('what two sources share is read once, and what no source needs any more is let go', async () => {
  const shelf = new Shelf()
  const pack = shelf.pack({ a: '1', b: '2' })
  const snapshot = shelf.put(
    's',
    encodeSnapshot(listed({ a: '1', b: '2' }).values(), () => pack),
  )
  const loader = shelf.loader()
  await Promise.all([texts(loader, 'one', { snapshot }), texts(loader, 'two', { snapshot })])
  const reads = () => shelf.read.filter((name) => name.startsWith('pack/')).length
  expect(reads()).toBe(1)
  loader.forget('one')
  await texts(loader, 'two', { snapshot })
  expect(reads()).toBe(1)
  loader.forget('two')
  await texts(loader, 'two', { snapshot })
  expect(reads()).toBe(2)
})

test('what earlier versions stored, contents in the snapshot and in the delta, is read', async () => {
  const shelf = new Shelf()
  const [a, b] = [listed({ a: 'one' }), listed({ b: 'two' })]
  const rows = (files: Map<string, TreeFile>) =>
    [...files.values()].map(({ path, blobId, mode, size }) => [path, blobId, mode, size])
  const snapshot = packContainer('SPS1', { files: rows(a) }, [Buffer.from('one')])
  const head = { base: decodeSnapshot(snapshot).digest, removed: [], files: rows(b), contents: rows(b) }
  const tree = {
    snapshot: shelf.put('s', snapshot),
    delta: shelf.put('d', packContainer('SPD1', head, [Buffer.from('two')])),
  }
  expect(await texts(shelf.loader(), 'one', tree)).toEqual({ a: 'one', b: 'two' })
})

test('a content that is nowhere is an error that names the file', async () => {
  const shelf = new Shelf()
  const snapshot = shelf.put(
    's',
    encodeSnapshot(listed({ 'apps/a.yaml': '1' }).values(), () => undefined),
  )
  await expect(shelf.loader().load('one', { snapshot })).rejects.toThrow('"apps/a.yaml" is missing')
})

test('the same files make the same packs, and one that differs changes the packs around it only', () => {
  const contents = Array.from({ length: 600 }, (_, n) => Buffer.alloc(10_000, `${n}`))
  const other = contents.toSpliced(300, 1, Buffer.alloc(10_000, 'other'))
  const packs = packsOf(contents)
  expect(packs.length).toBeGreaterThan(3)
  expect(packsOf(contents)).toEqual(packs)
  expect(packsOf(other).filter((pack) => !packs.includes(pack)).length).toBeLessThan(3)
})

function packsOf(contents: Buffer[]): string[] {
  const builder = new PackBuilder()
  const packs: Blobs[] = contents.flatMap((content) => builder.add(idOf(content.toString()), content) ?? [])
  return [...packs, builder.rest()].map((blobs) => digestOf(encodePack(blobs)))
}
