import { sharedCluster, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FaultyApi, startFaultyApi } from './faulty-api.ts'
import { configMap, dataOf, type Setup, startSetup } from './harness.ts'

const stack = new AsyncDisposableStack()
let api: FaultyApi
let setup: Setup
beforeAll(async () => {
  api = stack.use(await startFaultyApi((await sharedCluster()).kubeconfig))
  setup = stack.use(await startSetup(['--run-deadline-seconds=3'], { serviceKubeconfig: api.kubeconfig }))
})
afterAll(() => stack.disposeAsync())

const object = (name: string, data?: Record<string, string>) => configMap(setup.namespace, name, data)

const edit = (name: string) =>
  setup.kube.mergePatch({ group: '', version: 'v1', kind: 'ConfigMap' }, object(name).metadata, {
    data: { key: 'edited' },
  })

test('a set is applied and pruned right while the API server answers 429 to every second request', async () => {
  await setup.sync('busy', [object('busy-a'), object('busy-b')], { retryInterval: '1s' })
  api.overload(true)
  await setup.render('busy', [object('busy-a', { key: 'new' }), object('busy-c')], { revision: 'r2' })
  await setup.untilApplied('busy', 'r2')
  api.overload(false)
  expect(api.refused()).toBeGreaterThan(0)
  expect(dataOf(await setup.live(object('busy-a')))).toBe('new')
  expect(await setup.live(object('busy-b'))).toBeUndefined()
  expect(await setup.live(object('busy-c'))).toBeDefined()
})

test('half a list of Kustomizations at the start makes nobody think that the others are gone', async () => {
  const names = Array.from({ length: 10 }, (_, index) => `listed-${index}`)
  for (const name of names) await setup.sync(name, [object(name)])
  await setup.service.kill()
  const halved = api.breakNextList(/\/kustomizations\?/)
  await setup.service.start()
  await halved
  await setup.kube.delete({ group: '', version: 'v1', kind: 'ConfigMap' }, object('listed-9').metadata)
  await waitFor('the deletion is healed', () => setup.live(object('listed-9')))
  for (const name of names) expect((await setup.get(name)).metadata.deletionTimestamp).toBeUndefined()
  for (const name of names) expect(await setup.live(object(name))).toBeDefined()
})

test('an edit that the watch tells while a run still waits for the answer about that object is healed', async () => {
  await setup.sync('other', [object('other')])
  await setup.sync('raced', [object('raced-a'), object('raced-b')])
  await setup.service.kill()
  const { held, release } = api.holdNext(/\/configmaps\/raced-a$/)
  const told = api.watchTold('"raced-a"')
  await setup.service.start()
  await held
  // The watch is up when it has another edit healed.
  await edit('other')
  await waitFor('the other edit is healed', async () => dataOf(await setup.live(object('other'))) === 'value')
  await edit('raced-a')
  await told
  release()
  await waitFor('the edit is healed', async () => dataOf(await setup.live(object('raced-a'))) === 'value')
})

test('a status that gets no answer is given up with its run, and the Kustomization says so', async () => {
  const spec = { timeout: '3s', retryInterval: '1h' }
  await setup.sync('unanswered', [object('unanswered')], spec)
  const { delayed, release } = api.delayNext('PATCH', /\/kustomizations\/unanswered\/status/)
  await setup.render('unanswered', [object('unanswered', { key: 'new' })], { revision: 'r2' })
  await delayed
  // Ready may be True again at once: the watch wakes another run when it tells of the write before its answer does.
  const told = await waitFor('an event says so', async () =>
    (await setup.events('unanswered')).find(({ message }) => message.includes('gave up after 3s')),
  )
  expect(told).toMatchObject({ type: 'Warning', reason: 'ReconciliationFailed' })
  expect(await release()).toBe(409)
})

test('half a list of managed objects deletes and rewrites nothing', async () => {
  const objects = Array.from({ length: 20 }, (_, index) => object(`half-${index}`))
  await setup.sync('half', objects)
  const before = await Promise.all(objects.map((half) => setup.live(half)))
  await setup.service.kill()
  const halved = api.breakNextList(/\/configmaps\?/)
  await setup.service.start()
  await halved
  await edit('half-0')
  await waitFor('the edit is healed', async () => dataOf(await setup.live(object('half-0'))) === 'value')
  const after = await Promise.all(objects.map((half) => setup.live(half)))
  expect(after.slice(1)).toEqual(before.slice(1))
})
