import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { configMap, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

const requests = (verb: string) => setup.metric('setpoint_api_requests_total', { verb })

test('a new revision with the same set costs one status write and asks about no object', async () => {
  const objects = [configMap(setup.namespace, 'same')]
  await setup.sync('same', objects)
  const before = {
    writes: await setup.writes(),
    gets: await requests('get'),
    dryRuns: await requests('dry-run'),
  }
  await setup.render('same', objects, { revision: 'main@sha1:2' })
  await setup.untilApplied('same', 'main@sha1:2')
  expect((await setup.writes()) - before.writes).toBe(1)
  expect(await requests('get')).toBe(before.gets)
  expect(await requests('dry-run')).toBe(before.dryRuns)
})

test('a changed object is written, its unchanged neighbours are not even asked about', async () => {
  const name = (index: number) => `neighbour-${index}`
  const objects = [0, 1, 2].map((index) => configMap(setup.namespace, name(index)))
  await setup.sync('one-of-three', objects)
  const dryRuns = await requests('dry-run')
  const applies = await requests('apply')
  const changed = [configMap(setup.namespace, name(0), { key: 'new' }), ...objects.slice(1)]
  await setup.render('one-of-three', changed, { revision: 'main@sha1:3' })
  await setup.untilApplied('one-of-three', 'main@sha1:3')
  expect((await requests('dry-run')) - dryRuns).toBe(1)
  expect((await requests('apply')) - applies).toBe(1)
})

test('a requested reconciliation checks every object, writes none, and answers the request', async () => {
  const objects = [configMap(setup.namespace, 'asked')]
  await setup.sync('asked', objects)
  const applies = await requests('apply')
  const dryRuns = await requests('dry-run')
  await setup.request('asked', 'now')
  await setup.render('asked', objects)
  await waitFor(
    'the request is answered',
    async () => (await setup.get('asked')).status?.lastHandledReconcileAt === 'now',
  )
  expect(await requests('apply')).toBe(applies)
  expect((await requests('dry-run')) - dryRuns).toBe(1)
})

test('checks at the interval cost less than half a request for each object, and write nothing', async () => {
  const objects = Array.from({ length: 30 }, (_, index) => configMap(setup.namespace, `checked-${index}`))
  const runs = () => setup.metric('gotk_reconcile_duration_seconds_count', { name: 'checked' })
  const asked = async () => (await requests('get')) + (await requests('dry-run'))
  await setup.sync('checked', objects, { interval: '1s' })
  const before = { runs: await runs(), asked: await asked(), writes: await setup.writes() }
  await waitFor('some checks', async () => (await runs()) >= before.runs + 6)
  const checks = (await runs()) - before.runs
  const perObject = ((await asked()) - before.asked) / checks / objects.length
  setup.report(`a check at the interval: ${perObject.toFixed(2)} requests for each object`)
  expect(perObject).toBeLessThanOrEqual(0.5)
  expect(perObject).toBeGreaterThan(0)
  expect(await setup.writes()).toBe(before.writes)
  await setup.delete('checked')
})

test('after kill -9 and a restart everything is checked once and nothing is written', async () => {
  const objects = [configMap(setup.namespace, 'restarted'), configMap(setup.namespace, 'restarted-too')]
  const { status } = await setup.sync('restarted', objects)
  await setup.service.kill()
  await setup.service.start()
  await waitFor('everything was checked', async () => (await requests('dry-run')) >= 7)
  await waitFor('the queue is empty', async () => (await setup.metric('workqueue_depth')) === 0)
  expect(await setup.writes()).toBe(0)
  expect((await setup.get('restarted')).status).toEqual(status)
})

test('an edit that was made while the service was down is healed after its start', async () => {
  const object = configMap(setup.namespace, 'while-down')
  await setup.sync('while-down', [object])
  await setup.service.kill()
  await setup.kube.delete({ group: '', version: 'v1', kind: 'ConfigMap' }, object.metadata)
  await setup.service.start()
  await waitFor('the object is back', () => setup.live(object))
})
