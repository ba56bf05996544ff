import { tokenToApprove } from '@setpoint/contracts'
import type { KubeObject } from '@setpoint/manifest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

const object = (name: string) => configMap(setup.namespace, name)
const claim = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { namespace: setup.namespace, name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
})
const ids = async (name: string) =>
  ((await setup.get(name)).status?.inventory?.entries ?? []).map(({ id }) => id.split('_')[1])
const blockedMessage = async (name: string) =>
  conditionOf(await setup.untilCondition(name, 'PruneBlocked', 'True'), 'PruneBlocked')?.message ?? ''

test('a set that became empty deletes nothing until exactly that list is approved', async () => {
  await setup.sync('emptied', [object('emptied-a'), object('emptied-b')])
  await setup.render('emptied', [], { revision: 'r2' })
  const message = await blockedMessage('emptied')
  expect(message).toContain(
    '2 of 2 objects are no longer declared and would be deleted; the new set is empty',
  )
  expect(message).toContain(`ConfigMap/${setup.namespace}/emptied-a`)
  const blocked = await setup.untilApplied('emptied', 'r2')
  expect(conditionOf(blocked, 'Ready')?.status).toBe('True')
  expect(await ids('emptied')).toEqual(['emptied-a', 'emptied-b'])
  expect(await setup.live(object('emptied-a'))).toBeDefined()
  await setup.annotate('emptied', { 'setpoint.dev/prune-approve': tokenToApprove(message) ?? '' })
  await setup.untilCondition('emptied', 'PruneBlocked', undefined)
  expect(await setup.live(object('emptied-a'))).toBeUndefined()
  expect(await ids('emptied')).toEqual([])
})

test('a volume claim that left the set waits; back in Git it is no issue any more', async () => {
  await setup.sync('claims', [object('claims-a'), claim('data')])
  await setup.render('claims', [object('claims-a')], { revision: 'r2' })
  expect(await blockedMessage('claims')).toContain(
    `among them [PersistentVolumeClaim/${setup.namespace}/data]`,
  )
  await setup.untilEvent('claims', ({ reason }) => reason === 'ApprovalRequired')
  const events = await setup.events('claims')
  expect(events.filter(({ reason }) => reason === 'ApprovalRequired')).toHaveLength(1)
  await setup.render('claims', [object('claims-a'), claim('data')], { revision: 'r3' })
  await setup.untilCondition('claims', 'PruneBlocked', undefined)
  expect(await setup.live(claim('data'))).toBeDefined()
})

test('an approval of another list approves nothing', async () => {
  await setup.sync('stale-approval', [object('stale-a'), object('stale-b'), object('stale-c')])
  await setup.annotate('stale-approval', { 'setpoint.dev/prune-budget': '0' })
  await setup.render('stale-approval', [object('stale-a'), object('stale-b')], { revision: 'r2' })
  const first = await blockedMessage('stale-approval')
  expect(first).toContain('the setpoint.dev/prune-budget allows 0')
  await setup.render('stale-approval', [object('stale-a')], { revision: 'r3' })
  await setup.untilApplied('stale-approval', 'r3')
  await setup.annotate('stale-approval', { 'setpoint.dev/prune-approve': tokenToApprove(first) ?? '' })
  await setup.render('stale-approval', [object('stale-a')], { revision: 'r4' })
  await setup.untilApplied('stale-approval', 'r4')
  expect(await blockedMessage('stale-approval')).toContain('stale-b')
  expect(await setup.live(object('stale-b'))).toBeDefined()
  await setup.annotate('stale-approval', { 'setpoint.dev/prune-budget': '2' })
  await setup.untilCondition('stale-approval', 'PruneBlocked', undefined)
  expect(await setup.live(object('stale-b'))).toBeUndefined()
  expect(await setup.live(object('stale-c'))).toBeUndefined()
})

test('an annotation with an unknown value stalls, and nothing is applied or pruned', async () => {
  await setup.sync('typo', [object('typo-a'), object('typo-b')])
  await setup.annotate('typo', { 'setpoint.dev/prune-budget': 'ten' })
  const stalled = await setup.untilReady('typo', 'False', 'InvalidAnnotation')
  expect(conditionOf(stalled, 'Stalled')?.message).toContain('setpoint.dev/prune-budget: "ten"')
  await setup.render('typo', [object('typo-a')], { revision: 'r2' })
  await setup.annotate('typo', { 'setpoint.dev/prune-budget': null })
  await setup.untilApplied('typo', 'r2')
  expect(await setup.live(object('typo-b'))).toBeUndefined()
})
