import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { configMap, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

const object = (name: string) => configMap(setup.namespace, name)
const ids = async (name: string) =>
  ((await setup.get(name)).status?.inventory?.entries ?? []).map(({ id }) => id.split('_')[1])
const coreConfigMap = { group: '', version: 'v1', kind: 'ConfigMap' }

test('an object that left the set is deleted, and leaves the inventory', async () => {
  await setup.sync('pruned', [object('pruned-a'), object('pruned-b')])
  await setup.render('pruned', [object('pruned-a')], { revision: 'r2' })
  await setup.untilApplied('pruned', 'r2')
  expect(await setup.live(object('pruned-b'))).toBeUndefined()
  expect(await setup.live(object('pruned-a'))).toBeDefined()
  expect(await ids('pruned')).toEqual(['pruned-a'])
})

test('without spec.prune it stays in the cluster', async () => {
  await setup.sync('unpruned', [object('unpruned-a'), object('unpruned-b')], { prune: false })
  await setup.render('unpruned', [object('unpruned-a')], { revision: 'r2' })
  await setup.untilApplied('unpruned', 'r2')
  expect(await setup.live(object('unpruned-b'))).toBeDefined()
})

test.each([
  ['labels', { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' }],
  ['annotations', { 'kustomize.toolkit.fluxcd.io/prune': 'Disabled' }],
])('an object whose %s switch pruning off stays', async (field, switched) => {
  const name = `kept-by-${field}`
  const kept = object(name)
  const marked = { ...kept, metadata: { ...kept.metadata, [field]: switched } }
  await setup.sync(name, [marked, object(`${name}-other`)])
  await setup.render(name, [object(`${name}-other`)], { revision: 'r2' })
  await setup.untilApplied(name, 'r2')
  expect(await setup.live(kept)).toBeDefined()
})

test('nothing is pruned when the render failed', async () => {
  await setup.sync('broken', [object('broken-a'), object('broken-b')])
  const problem = { reason: 'BuildFailed', message: 'a.yaml:3: not YAML', stalled: false }
  await setup.render('broken', [], { revision: 'r2', problem })
  const { status } = await setup.untilReady('broken', 'False', 'BuildFailed')
  expect(status?.lastAttemptedRevision).toBe('r2')
  expect(await setup.live(object('broken-a'))).toBeDefined()
  expect(await ids('broken')).toEqual(['broken-a', 'broken-b'])
})

test('nothing is pruned when the source went missing', async () => {
  await setup.sync('sourceless', [object('sourceless-a')])
  const problem = { reason: 'ArtifactFailed', message: 'GitRepository fleet not found', stalled: false }
  await setup.render('sourceless', [], { revision: 'r2', problem })
  await setup.untilReady('sourceless', 'False', 'ArtifactFailed')
  expect(await setup.live(object('sourceless-a'))).toBeDefined()
  expect(await ids('sourceless')).toEqual(['sourceless-a'])
})

test('nothing is applied or pruned when a part of the set is missing', async () => {
  await setup.sync('partial-set', [object('partial-a'), object('partial-b')])
  await setup.render('partial-set', [object('partial-a')], { revision: 'r2', announced: 2 })
  const { status } = await setup.untilReady('partial-set', 'False', 'ReconciliationFailed')
  expect(status?.conditions?.find(({ type }) => type === 'Ready')?.message).toContain(
    'holds 1 objects, but 2 were announced',
  )
  expect(await setup.live(object('partial-b'))).toBeDefined()
})

test('nothing is pruned when an object of the new set is refused', async () => {
  await setup.sync('refused', [object('refused-a'), object('refused-b')])
  const bad = configMap(setup.namespace, 'Not_A_Name')
  await setup.render('refused', [object('refused-a'), bad], { revision: 'r2' })
  await setup.untilReady('refused', 'False', 'ReconciliationFailed')
  expect(await setup.live(object('refused-b'))).toBeDefined()
})

test('an object with the same name that is not ours any more survives', async () => {
  await setup.sync('replaced', [object('replaced-a'), object('replaced-b')])
  await setup.patchSpec('replaced', { suspend: true })
  await setup.kube.delete(coreConfigMap, object('replaced-a').metadata)
  await setup.kube.create(object('replaced-a'))
  await setup.patchSpec('replaced', { suspend: false })
  await setup.render('replaced', [object('replaced-b')], { revision: 'r2' })
  await setup.untilApplied('replaced', 'r2')
  expect(await setup.live(object('replaced-a'))).toBeDefined()
})

test('a deletion of the Kustomization deletes what it has applied', async () => {
  await setup.sync('deleted', [object('deleted-a')])
  await setup.delete('deleted')
  expect(await setup.live(object('deleted-a'))).toBeUndefined()
})

test.each([
  ['prune is off', { prune: false }],
  ['the deletionPolicy is Orphan', { deletionPolicy: 'Orphan' as const }],
])('a deletion leaves the objects when %s', async (_what, spec) => {
  const name = `orphan-${'prune' in spec ? 'prune' : 'policy'}`
  await setup.sync(name, [object(name)], spec)
  await setup.delete(name)
  expect(await setup.live(object(name))).toBeDefined()
})

test('with the deletionPolicy Delete a deletion deletes the objects even when prune is off', async () => {
  await setup.sync('policy', [object('policy')], { prune: false, deletionPolicy: 'Delete' })
  await setup.delete('policy')
  expect(await setup.live(object('policy'))).toBeUndefined()
})

test('with WaitForTermination the Kustomization outlives its objects', async () => {
  const slow = object('slow')
  slow.metadata = { ...slow.metadata, finalizers: ['test.setpoint.dev/hold'] } as typeof slow.metadata
  await setup.sync('waits', [slow], { deletionPolicy: 'WaitForTermination' })
  const deleted = setup.delete('waits')
  await waitFor('the object is being deleted', async () => {
    return (await setup.live(slow))?.metadata.deletionTimestamp
  })
  expect((await setup.get('waits')).metadata.finalizers).toEqual(['finalizers.fluxcd.io'])
  await setup.kube.mergePatch(coreConfigMap, slow.metadata, { metadata: { finalizers: null } })
  await deleted
})
