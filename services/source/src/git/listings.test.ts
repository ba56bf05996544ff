import { startGitServer } from '@setpoint/testkit'
import { expect, test } from 'vitest'
import { Listings } from './listings.ts'

const DAY = 86_400_000

test('a clock that goes back by a day: the host is asked again at once, and what was heard before is no news', async () => {
  await using server = await startGitServer()
  const repo = await server.create('fleet')
  await repo.commit({ 'a.yaml': 'a: 1' })
  let now = Date.now()
  const listings = new Listings({ now: () => now, perHostPerSecond: 20, onListed() {}, wake() {} })
  const remote = { url: repo.url, timeoutMs: 10_000 }
  const commitAt = async (notBefore: number) =>
    (await listings.get('fleet', remote, notBefore)).refs.get('refs/heads/main')?.oid
  const first = await commitAt(now)
  now -= DAY
  const second = await repo.commit({ 'a.yaml': 'a: 2' })
  expect(second).not.toBe(first)
  expect(await commitAt(now)).toBe(second)
})

test('what is heard with some credentials is not told to who has others', async () => {
  await using server = await startGitServer({ basic: { username: 'robot', password: 'right' } })
  const repo = await server.create('fleet')
  await repo.commit({ 'a.yaml': 'a: 1' })
  const listings = new Listings({ now: Date.now, perHostPerSecond: 20, onListed() {}, wake() {} })
  const listedBy = (password: string) => {
    const remote = { url: repo.url, timeoutMs: 10_000, auth: { username: 'robot', password } }
    return listings.get('fleet', remote, 0)
  }
  expect((await listedBy('right')).refs.size).toBe(1)
  const asked = server.requests.length
  await listedBy('right')
  expect(server.requests.length).toBe(asked)
  await expect(listedBy('wrong')).rejects.toMatchObject({ code: 'AuthenticationFailed' })
})

test('a host is asked no more often than it is to be, whatever the repositories', async () => {
  await using server = await startGitServer()
  const listings = new Listings({ now: Date.now, perHostPerSecond: 10, onListed() {}, wake() {} })
  const startedAt = performance.now()
  const asked = ['a', 'b', 'c', 'd'].map(async (name) => {
    const repo = await server.create(name)
    await repo.commit({ 'a.yaml': name })
    return listings.get(name, { url: repo.url, timeoutMs: 10_000 }, 0)
  })
  await Promise.all(asked)
  expect(performance.now() - startedAt).toBeGreaterThan(295)
})
