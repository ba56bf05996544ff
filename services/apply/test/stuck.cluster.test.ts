import type { KubeObject } from '@setpoint/manifest'
import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

const core = (kind: string) => ({ group: '', version: 'v1', kind })
const object = (name: string) => configMap(setup.namespace, name)
const held = (source: KubeObject): KubeObject => ({
  ...source,
  metadata: { ...source.metadata, finalizers: ['test.setpoint.dev/hold'] },
})
const letGo = (source: KubeObject) =>
  setup.kube.mergePatch(core(source.kind), source.metadata, { metadata: { finalizers: null } })

test('a newer revision supersedes at once a run that waits for an object with a finalizer', async () => {
  const fixed = (value: string) => held({ ...object('fixed'), data: { key: value }, immutable: true })
  await setup.sync('recreate', [fixed('one'), object('recreate-other')], { force: true })
  await setup.render('recreate', [fixed('two'), object('recreate-other')], { revision: 'r2' })
  await waitFor(
    'the object is being deleted',
    async () => (await setup.live(object('fixed')))?.metadata.deletionTimestamp,
  )
  await setup.render('recreate', [object('recreate-other')], { revision: 'r3' })
  await setup.untilApplied('recreate', 'r3')
  expect((await setup.live(object('fixed')))?.metadata.deletionTimestamp).toBeDefined()
  await letGo(fixed('one'))
})

test('an object that is stuck in deletion holds up neither its own Kustomization nor another', async () => {
  const stuck = held(object('stuck'))
  await setup.sync('stuck', [stuck, object('stuck-other')])
  await setup.render('stuck', [object('stuck-other')], { revision: 'r2' })
  await setup.untilApplied('stuck', 'r2')
  expect((await setup.live(stuck))?.metadata.deletionTimestamp).toBeDefined()
  await setup.sync('stuck-neighbour', [object('stuck-neighbour')])
  await letGo(stuck)
})

test('a namespace in termination is named, nothing is pruned, and other namespaces go on', async () => {
  const name = `${setup.namespace}-going`
  const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
  const guard = held(configMap(name, 'guard'))
  await setup.sync('going', [namespace, configMap(name, 'old'), object('going-old')], { retryInterval: '1s' })
  await setup.kube.create(guard)
  await setup.kube.delete(core('Namespace'), { name })
  await waitFor('its content is gone', async () => (await setup.live(configMap(name, 'old'))) === undefined)
  await setup.render('going', [namespace, configMap(name, 'new')], { revision: 'r2' })
  const failed = await setup.untilReady('going', 'False', 'ReconciliationFailed')
  expect(conditionOf(failed, 'Ready')?.message).toMatch(/terminat|being deleted/)
  expect(await setup.live(object('going-old'))).toBeDefined()
  await setup.sync('going-neighbour', [object('going-neighbour')])
  await letGo(guard)
  await setup.untilApplied('going', 'r2')
  expect(await setup.live(configMap(name, 'new'))).toBeDefined()
  await setup.delete('going')
})
