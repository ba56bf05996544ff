import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readyMessage, type Setup, startSetup } from './harness.ts'
import { pass, startSpoiledGitServer } from './spoiled-git-server.ts'

/** When a server is asked, and by whom. */

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup[Symbol.asyncDispose]())

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

test('a host that wants to be left alone when it is asked for a pack is not asked for references by others', async () => {
  await using server = await startSpoiledGitServer(setup.git)
  let asked = 0
  for (const name of ['packed-a', 'packed-b']) {
    const repo = await setup.git.create(name)
    await repo.commit({ 'a.yaml': 'a: 1\n' })
  }
  server.spoil((real, response, { method }) => {
    asked += 1
    if (method === 'POST') response.writeHead(503, { 'retry-after': '600' }).end()
    else pass(real, response)
  })
  await setup.create('packed-a', { url: `${server.url}/packed-a.git` })
  await setup.untilReady('packed-a', 'False', 'GitOperationFailed')
  const before = asked
  await setup.create('packed-b', { url: `${server.url}/packed-b.git` })
  const failed = await setup.untilReady('packed-b', 'False', 'GitOperationFailed')
  expect(readyMessage(failed)).toContain('left alone for 600 s')
  expect(asked).toBe(before)
})

test('a server that breaks off is asked ever more seldom; a hint asks at once, and starts that anew', async () => {
  let asked = 0
  const server = createServer((request) => {
    asked += 1
    request.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/r.git`
  await setup.create('patient', { url, interval: '1h' })
  // The fourth time is after 5 s, the fifth would be after another 6 s.
  await waitFor('it is asked four times', () => asked === 4)
  setup.hint('patient')
  await waitFor('it is asked at once, and soon again', () => asked >= 7, { timeoutMs: 5_500 })
  server.close()
})
