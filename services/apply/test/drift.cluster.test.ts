import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { configMap, dataOf, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

const core = (kind: string) => ({ group: '', version: 'v1', kind })

test('an edited object is healed at once, and fields that kubectl added are taken away', async () => {
  const object = configMap(setup.namespace, 'edited')
  const { status } = await setup.sync('edited', [object])
  await setup.kube.mergePatch(
    core('ConfigMap'),
    object.metadata,
    { data: { key: 'other', extra: 'x' } },
    { fieldManager: 'kubectl-edit' },
  )
  const healed = await waitFor('the edit is healed', async () => {
    const live = await setup.live(object)
    return dataOf(live) === 'value' && live
  })
  expect(healed.data).toEqual({ key: 'value' })
  expect((await setup.get('edited')).status).toEqual(status)
})

test('a deleted object is made again at once', async () => {
  const object = configMap(setup.namespace, 'deleted')
  await setup.sync('deleted', [object, configMap(setup.namespace, 'neighbour')])
  const before = await setup.live(object)
  await setup.kube.delete(core('ConfigMap'), object.metadata)
  const healed = await waitFor('the object is back', () => setup.live(object))
  expect(healed.metadata.uid).not.toBe(before?.metadata.uid)
  expect(healed.data).toEqual({ key: 'value' })
})

test('an object that lost its owner labels gets them back', async () => {
  const object = configMap(setup.namespace, 'unlabelled')
  await setup.sync('unlabelled', [object])
  await setup.kube.mergePatch(core('ConfigMap'), object.metadata, {
    metadata: { labels: { 'kustomize.toolkit.fluxcd.io/name': null } },
  })
  await waitFor('the labels are back', async () => {
    const live = await setup.live(object)
    return live?.metadata.labels?.['kustomize.toolkit.fluxcd.io/name'] === 'unlabelled'
  })
})

test('a field that nobody but its writer claims is left alone, and costs no write', async () => {
  const object = configMap(setup.namespace, 'shared')
  await setup.sync('shared', [object])
  const writes = await setup.writes()
  await setup.kube.mergePatch(
    core('ConfigMap'),
    object.metadata,
    { data: { theirs: 'kept' } },
    { fieldManager: 'another-controller' },
  )
  const dryRuns = await setup.metric('setpoint_api_requests_total', { verb: 'dry-run' })
  await waitFor(
    'the change was looked at',
    async () => (await setup.metric('setpoint_api_requests_total', { verb: 'dry-run' })) >= dryRuns,
  )
  await setup.kube.mergePatch(core('ConfigMap'), object.metadata, { data: { key: 'edited' } })
  const healed = await waitFor('a later edit is healed', async () => {
    const live = await setup.live(object)
    return dataOf(live) === 'value' && live
  })
  expect(healed.data).toEqual({ key: 'value', theirs: 'kept' })
  expect((await setup.writes()) - writes).toBe(1)
})

test('an object with the reconcile switch off keeps what was edited', async () => {
  const object = configMap(setup.namespace, 'switched')
  const other = configMap(setup.namespace, 'not-switched')
  await setup.sync('switched', [object, other])
  const patch = {
    metadata: { annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'Disabled' } },
    data: { key: 'mine' },
  }
  await setup.kube.mergePatch(core('ConfigMap'), object.metadata, patch)
  await setup.kube.mergePatch(core('ConfigMap'), other.metadata, { data: { key: 'mine' } })
  await waitFor('the neighbour is healed', async () => {
    const live = await setup.live(other)
    return dataOf(live) === 'value'
  })
  expect((await setup.live(object))?.data).toEqual({ key: 'mine' })
})

test('drift is healed while NATS is away', async () => {
  const object = configMap(setup.namespace, 'offline')
  await setup.sync('offline', [object])
  await setup.nats.kill()
  try {
    await setup.kube.delete(core('ConfigMap'), object.metadata)
    await waitFor('the object is back', () => setup.live(object))
  } finally {
    await setup.nats.restart()
    await setup.untilBusIsBack()
  }
})

test('half of twenty edits are healed within a second', async () => {
  const objects = Array.from({ length: 20 }, (_, index) => configMap(setup.namespace, `many-${index}`))
  await setup.sync('many', objects)
  const times: number[] = []
  for (const object of objects) {
    const started = performance.now()
    await setup.kube.mergePatch(core('ConfigMap'), object.metadata, { data: { key: 'edited' } })
    await waitFor('healed', async () => dataOf(await setup.live(object)) === 'value', { intervalMs: 5 })
    times.push(performance.now() - started)
  }
  times.sort((a, b) => a - b)
  setup.report(`drift healed: p50 ${times[10]?.toFixed(0)} ms, p95 ${times[18]?.toFixed(0)} ms`)
  expect(times[10]).toBeLessThan(1_000)
})
