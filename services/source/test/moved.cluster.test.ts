import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup[Symbol.asyncDispose]())

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
