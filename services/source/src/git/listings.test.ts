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
