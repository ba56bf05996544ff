import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readyMessage, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup[Symbol.asyncDispose]())

test('a password in the URL is in no status, event or log', async () => {
  await setup.create('urlpassword', { url: 'http://robot:hunter2-url@127.0.0.1:1/r.git' })
  const failed = await setup.untilReady('urlpassword', 'False', 'GitOperationFailed')
  await waitFor('an event', async () => (await setup.events('urlpassword')).length > 0)
  const told = JSON.stringify([failed.status, await setup.events('urlpassword'), setup.service.child.logs()])
  expect(told).not.toContain('hunter2-url')
})

test('a tag that moved is told in an event', async () => {
  const repo = await setup.git.create('movedtag')
  await repo.commit({ 'a.yaml': '1' })
  await repo.tag('v1.0.0', { message: 'one' })
  await setup.create('movedtag', { url: repo.url, ref: { semver: '1.0.0' } })
  await setup.untilReady('movedtag', 'True')
  const sha = await repo.commit({ 'a.yaml': '2' })
  await repo.tag('v1.0.0', { message: 'two' })
  await setup.request('movedtag')
  await setup.untilCommit('movedtag', sha)
  await waitFor('an event', async () => {
    const events = await setup.events('movedtag')
    return events.some(({ reason, message }) => reason === 'TagMoved' && message.includes(sha))
  })
})

test('a rewritten history is followed, and told in an event; an ordinary commit is not', async () => {
  const repo = await setup.git.create('rewritten')
  await repo.commit({ 'a.yaml': '1' })
  await setup.create('rewritten', { url: repo.url })
  await setup.untilReady('rewritten', 'True')
  const ordinary = await repo.commit({ 'a.yaml': '2' })
  setup.hint('rewritten')
  await setup.untilCommit('rewritten', ordinary)
  await repo.deleteRef('refs/heads/main')
  const sha = await repo.commit({ 'b.yaml': '3' })
  setup.hint('rewritten')
  await setup.untilCommit('rewritten', sha)
  const reasons = async () =>
    (await setup.events('rewritten')).filter(({ reason }) => reason === 'HistoryRewritten')
  await waitFor('an event', async () => (await reasons()).length > 0)
  expect(await reasons()).toHaveLength(1)
})

test('many GitRepositories on one URL ask once, and all hear of a change', async () => {
  const repo = await setup.git.create('shared')
  await repo.commit({ 'a.yaml': '1' })
  const names = Array.from({ length: 6 }, (_, n) => `shared-${n}`)
  for (const name of names) await setup.create(name, { url: repo.url, interval: '1h' })
  for (const name of names) await setup.untilReady(name, 'True')
  const sha = await repo.commit({ 'a.yaml': '2' })
  const before = setup.traffic('shared').requests
  setup.hint('shared-0')
  for (const name of names) await setup.untilCommit(name, sha)
  // One listing for all of them; each keeps a copy of its own, which takes one request to bring up to date.
  expect(setup.traffic('shared').requests - before).toBe(1 + names.length)
})

test('a host that wants to be left alone is not asked by others either', async () => {
  let asked = 0
  const server = createServer((_request, response) => {
    asked += 1
    response.writeHead(429, { 'retry-after': '600' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await setup.create('limited-a', { url: `${url}/a.git`, interval: '1s' })
  expect(readyMessage(await setup.untilReady('limited-a', 'False', 'GitOperationFailed'))).toContain(
    'left alone for 600 s',
  )
  await setup.create('limited-b', { url: `${url}/b.git`, interval: '1s' })
  await setup.untilReady('limited-b', 'False', 'GitOperationFailed')
  await setup.request('limited-a')
  expect(asked).toBe(1)
  server.close()
})
