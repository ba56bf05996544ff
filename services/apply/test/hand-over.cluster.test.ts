import { KUSTOMIZATION, OWNER_NAME_LABEL } from '@setpoint/contracts'
import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, dataOf, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

const object = (name: string, data?: Record<string, string>) => configMap(setup.namespace, name, data)
const ownerOf = async (name: string) => (await setup.live(object(name)))?.metadata.labels?.[OWNER_NAME_LABEL]
const uidOf = async (name: string) => (await setup.live(object(name)))?.metadata.uid
const untilOwnedBy = (name: string, owner: string) =>
  waitFor(`${name} belongs to ${owner}`, async () => (await ownerOf(name)) === owner)

test('an object that moved is handed over when the new one is applied first', async () => {
  await setup.sync('giver', [object('moved'), object('giver-own')])
  const uid = await uidOf('moved')
  await setup.sync('taker', [object('moved')])
  await setup.render('giver', [object('giver-own')], { revision: 'r2' })
  await untilOwnedBy('moved', 'taker')
  await setup.untilApplied('giver', 'r2')
  expect(await uidOf('moved')).toBe(uid)
  await setup.untilCondition('taker', 'Conflict', undefined)
})

test('an object that moved is handed over when the old one lets go first', async () => {
  await setup.sync('early-giver', [object('early'), object('early-own')])
  const uid = await uidOf('early')
  await setup.create('late-taker')
  await setup.render('early-giver', [object('early-own')], { revision: 'r2', source: 'early' })
  await setup.render('late-taker', [object('early')], { revision: 'r2', source: 'early' })
  await setup.untilApplied('early-giver', 'r2')
  await untilOwnedBy('early', 'late-taker')
  expect(await uidOf('early')).toBe(uid)
})

test('an object that moved to one whose build is late is not deleted meanwhile, and it is said who is waited for', async () => {
  await setup.sync('prompt-giver', [object('awaited'), object('prompt-own')])
  const uid = await uidOf('awaited')
  await setup.create('slow-taker')
  await setup.render('prompt-giver', [object('prompt-own')], { revision: 'r2', source: 'slow' })
  const waiting = await setup.untilReady('prompt-giver', 'Unknown')
  expect(conditionOf(waiting, 'Ready')?.message).toContain(`${setup.namespace}/slow-taker`)
  await setup.render('slow-taker', [object('awaited')], { revision: 'r2', source: 'slow' })
  await setup.untilApplied('prompt-giver', 'r2')
  await untilOwnedBy('awaited', 'slow-taker')
  expect(await uidOf('awaited')).toBe(uid)
})

test('an object that moved to one that was built later, but of an older revision, is not deleted meanwhile', async () => {
  await setup.sync('sure-giver', [object('roams'), object('sure-own')])
  const uid = await uidOf('roams')
  await setup.create('behind')
  await setup.render('sure-giver', [object('sure-own')], { revision: 'r2', source: 'roaming' })
  await setup.untilReady('sure-giver', 'Unknown')
  await setup.render('behind', [object('behind-own')], { revision: 'r1', source: 'roaming' })
  await setup.untilApplied('behind', 'r1')
  const looked = await setup.metric('workqueue_finished_total')
  await waitFor(
    'it was looked at again',
    async () => (await setup.metric('workqueue_finished_total')) >= looked + 2,
  )
  expect(await uidOf('roams')).toBe(uid)
  await setup.render('behind', [object('behind-own'), object('roams')], { revision: 'r2', source: 'roaming' })
  await setup.untilApplied('sure-giver', 'r2')
  await untilOwnedBy('roams', 'behind')
  expect(await uidOf('roams')).toBe(uid)
})

test('an object that was let go is not taken by one that is still built of an older revision', async () => {
  await setup.create('paces')
  await setup.render('paces', [object('paced', { key: 'r1' }), object('paces-own')], { source: 'pace' })
  await setup.untilReady('paces', 'True')
  await setup.create('lags')
  await setup.render('lags', [object('paced', { key: 'r0' })], { revision: 'r0', source: 'pace' })
  await setup.untilCondition('lags', 'Conflict', 'True')
  await setup.render('paces', [object('paces-own')], { revision: 'r2', source: 'pace' })
  await setup.untilReady('paces', 'Unknown')
  await setup.untilReady('lags', 'Unknown')
  expect(dataOf(await setup.live(object('paced')))).toBe('r1')
  await setup.render('lags', [object('paced', { key: 'r2' })], { revision: 'r2', source: 'pace' })
  await untilOwnedBy('paced', 'lags')
  expect(dataOf(await setup.live(object('paced')))).toBe('r2')
  await setup.untilApplied('paces', 'r2')
})

test('a renamed Kustomization takes over from the one that is deleted', async () => {
  await setup.sync('old-name', [object('renamed')])
  const uid = await uidOf('renamed')
  await setup.create('new-name')
  const deleted = setup.delete('old-name')
  await setup.render('new-name', [object('renamed')])
  await deleted
  await untilOwnedBy('renamed', 'new-name')
  expect(await uidOf('renamed')).toBe(uid)
})

test('a Kustomization that is deleted does not wait for others that have seen a newer commit', async () => {
  await setup.sync('leaving', [object('leaves')])
  await setup.sync('ahead', [object('goes-on')])
  await setup.render('ahead', [object('goes-on', { key: 'newer' })], { revision: 'newer' })
  await setup.untilApplied('ahead', 'newer')
  await setup.delete('leaving')
  expect(await setup.live(object('leaves'))).toBeUndefined()
})

test('two Kustomizations that declare the same object both say so, and it stays with the one that holds it', async () => {
  await setup.sync('first', [object('same', { key: 'first' })])
  await setup.create('second', { retryInterval: '1s' })
  await setup.render('second', [object('same', { key: 'second' }), object('second-own')])
  const second = await setup.untilReady('second', 'False', 'ReconciliationFailed')
  const first = await setup.untilCondition('first', 'Conflict', 'True')
  const line = `ConfigMap/${setup.namespace}/same is declared by Kustomization ${setup.namespace}/first and by Kustomization ${setup.namespace}/second`
  expect(conditionOf(second, 'Ready')?.message).toContain(line)
  expect(conditionOf(second, 'Conflict')?.message).toContain(line)
  expect(conditionOf(first, 'Conflict')?.message).toContain(line)
  expect(conditionOf(first, 'Ready')?.status).toBe('True')
  expect(await setup.live(object('second-own'))).toBeDefined()
  const before = await setup.live(object('same'))
  await setup.request('second', 'again')
  await setup.render('second', [object('same', { key: 'second' }), object('second-own')])
  await waitFor(
    'the request is answered',
    async () => (await setup.get('second')).status?.lastHandledReconcileAt === 'again',
  )
  expect((await setup.live(object('same')))?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion)
  await setup.kube.delete(KUSTOMIZATION, { namespace: setup.namespace, name: 'first' })
  await setup.untilReady('second', 'True')
  expect((await setup.live(object('same')))?.data).toEqual({ key: 'second' })
})

test('two that want the same of an object are both Ready', async () => {
  await setup.sync('agreed', [object('shared')])
  const other = await setup.sync('agreeing', [object('shared'), object('agreeing-own')])
  expect(conditionOf(other, 'Conflict')?.reason).toBe('DeclaredTwice')
  expect(await ownerOf('shared')).toBe('agreed')
  await setup.delete('agreed')
  await untilOwnedBy('shared', 'agreeing')
  await setup.untilCondition('agreeing', 'Conflict', undefined)
})
