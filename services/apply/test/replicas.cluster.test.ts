import { startInformer } from '@setpoint/kube'
import { ownerOf } from '@setpoint/membership'
import { sharedCluster, startTcpProxy, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FaultyApi, startFaultyApi } from './faulty-api.ts'
import { configMap, dataOf, type Setup, startSetup } from './harness.ts'

/** What a replica that dies, or that has not heard of something, must not do to those that go on. */

const stack = new AsyncDisposableStack()
let api: FaultyApi
let setup: Setup
beforeAll(async () => {
  api = stack.use(await startFaultyApi((await sharedCluster()).kubeconfig))
  const options = { replica: 'one', serviceKubeconfig: api.kubeconfig }
  setup = stack.use(await startSetup(['--lease-duration-seconds=2'], options))
})
afterAll(() => stack.disposeAsync())

const object = (name: string, key: string) => configMap(setup.namespace, name, { key })

test('a write that reaches the API server late, when its sender is dead and another has gone on, changes nothing', async () => {
  const two = await setup.startReplica({ replica: 'two' })
  const name = nameOwnedBy('one', 'late')
  await setup.sync(name, [object(name, 'old')])
  const { delayed, release } = api.delayNext('PATCH', new RegExp(`/configmaps/${name}\\?(?!.*dryRun)`))
  await setup.render(name, [object(name, 'middle')], { revision: 'middle' })
  await delayed
  await setup.service.kill()
  await setup.render(name, [object(name, 'new')], { revision: 'new' })
  await setup.untilApplied(name, 'new')
  const seen = await values(name)
  expect(await release()).toBe(409)
  expect(seen).toEqual(['new'])
  await two.stop()
  await setup.service.start()
  await setup.delete(name)
})

test('one that did not hear of a commit applies nothing older of what it takes over, even when NATS has lost everything', async () => {
  await using network = await startTcpProxy(Number(new URL(setup.nats.url).port))
  const two = await setup.startReplica({ replica: 'two', natsUrl: `nats://127.0.0.1:${network.port}` })
  const name = nameOwnedBy('one', 'deaf')
  await setup.sync(name, [object(name, 'old')])
  network.cut()
  await setup.render(name, [object(name, 'new')], { revision: 'new' })
  await setup.untilApplied(name, 'new')
  const seen = await values(name)
  await setup.service.kill()
  await setup.nats.restart({ wipe: true })
  await setup.untilBusIsBack()
  network.mend()
  await waitFor('the other took over', () => two.logs().includes('took over'))
  await waitFor('it has no work left', async () => (await two.metric('workqueue_depth')) === 0)
  await setup.render(name, [object(name, 'newest')], { revision: 'newest' })
  await setup.untilApplied(name, 'newest')
  await waitFor('the watch has told', () => seen.at(-1) === 'newest')
  expect(seen).toEqual(['new', 'newest'])
  await two.stop()
  await setup.service.start()
  await setup.delete(name)
})

test('one that did not hear that a file has moved does not take the object back, and does once it moved back', async () => {
  await using network = await startTcpProxy(Number(new URL(setup.nats.url).port))
  const two = await setup.startReplica({ replica: 'two', natsUrl: `nats://127.0.0.1:${network.port}` })
  const giver = nameOwnedBy('two', 'giver')
  const taker = nameOwnedBy('one', 'taker')
  const moved = (key: string) => object('moved', key)
  await setup.sync(taker, [object(taker, 'own')])
  await setup.sync(giver, [object(giver, 'own'), moved('from the giver')], { interval: '1s' })
  network.freeze()
  const seen = await values('moved')
  await setup.render(giver, [object(giver, 'own')], { revision: 'moved' })
  await setup.render(taker, [object(taker, 'own'), moved('from the taker')], { revision: 'moved' })
  await setup.untilApplied(taker, 'moved')
  await setup.untilCondition(giver, 'Conflict', 'True')
  expect(seen).toEqual(['from the giver', 'from the taker'])
  network.mend()
  await setup.untilApplied(giver, 'moved')
  await setup.render(taker, [object(taker, 'own')], { revision: 'back' })
  await setup.render(giver, [object(giver, 'own'), moved('from the giver again')], { revision: 'back' })
  await setup.untilApplied(giver, 'back')
  await waitFor('the watch has told', () => seen.at(-1) === 'from the giver again')
  expect(seen).toEqual(['from the giver', 'from the taker', 'from the giver again'])
  await two.stop()
})

function nameOwnedBy(replica: string, prefix: string): string {
  const names = Array.from({ length: 100 }, (_, index) => `${prefix}-${index}`)
  const name = names.find((one) => ownerOf(`${setup.namespace}/${one}`, ['one', 'two']) === replica)
  if (name === undefined) throw new Error(`no name belongs to ${replica}`)
  return name
}

/** Every value that a ConfigMap has, from the present one on. */
async function values(name: string): Promise<(string | undefined)[]> {
  const seen: (string | undefined)[] = []
  const informer = startInformer(setup.kube, {
    gvk: { group: '', version: 'v1', kind: 'ConfigMap' },
    namespace: setup.namespace,
    signal: new AbortController().signal,
    onUpsert: (live) => {
      if (live.metadata.name === name) seen.push(dataOf(live))
    },
    onDelete: () => undefined,
  })
  stack.defer(() => informer.stop())
  await informer.synced
  return seen
}
