import { readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '@setpoint/testkit'
import { expect, test } from 'vitest'
import { ArchiveStore } from './archive-store.ts'

const directory = 'gitrepository/apps/fleet'
const now = Date.UTC(2026, 0, 2)

async function storeWith(root: string, ages: Record<string, number>): Promise<ArchiveStore> {
  const store = new ArchiveStore(root, 'source:9090', { ttlMs: 60_000, records: 2 })
  for (const [name, ageMs] of Object.entries(ages)) {
    await store.write(`${directory}/${name}`, bytesOf(name))
    const time = new Date(now - ageMs)
    await utimes(join(root, directory, name), time, time)
  }
  return store
}

test('the newest two and everything younger than the time to live are kept', async () => {
  await using home = await temporaryDirectory('archives')
  const store = await storeWith(home.path, { a: 1_000, b: 30_000, c: 50_000, d: 90_000, e: 120_000 })
  await store.collect(`${directory}/a`, now)
  expect(await readdir(join(home.path, directory))).toEqual(['a', 'b', 'c'])
})

test('the current one is kept however old it is', async () => {
  await using home = await temporaryDirectory('archives')
  const store = await storeWith(home.path, { a: 100_000, b: 200_000, current: 900_000 })
  await store.collect(`${directory}/current`, now)
  expect(await readdir(join(home.path, directory))).toEqual(['a', 'b', 'current'])
})

test('a file is intact, damaged or missing', async () => {
  await using home = await temporaryDirectory('archives')
  const store = await storeWith(home.path, { a: 0 })
  const digest = 'sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'
  expect(await store.verify(`${directory}/a`, digest)).toBe('intact')
  await writeFile(join(home.path, directory, 'a'), 'b')
  expect(await store.verify(`${directory}/a`, digest)).toBe('damaged')
  expect(await store.verify(`${directory}/b`, digest)).toBe('missing')
})

test('a file that is not the one that was expected takes no place', async () => {
  await using home = await temporaryDirectory('archives')
  const store = await storeWith(home.path, { a: 0 })
  await store.write(`${directory}/a`, bytesOf('b'), 'sha256:other')
  expect(await readdir(join(home.path, directory))).toEqual(['a'])
  expect(await store.read(`${directory}/a`)).toEqual(Buffer.from('a'))
})

async function* bytesOf(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text)
}
