import type { KubeObject } from '@setpoint/manifest'
import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, dataOf, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

const core = { group: '', version: 'v1', kind: 'ConfigMap' }
const ignore = [{ paths: ['/data/key'], target: { kind: 'ConfigMap', name: 'tuned-.*' } }]

async function edit(object: KubeObject, data: Record<string, string | null>): Promise<void> {
  await setup.kube.mergePatch(core, object.metadata, { data }, { fieldManager: 'autoscaler' })
}

/** Everything that a watch has told is dealt with once a later edit of another field is healed. */
async function untilHealed(object: KubeObject): Promise<KubeObject> {
  await edit(object, { other: 'edited' })
  return waitFor('the other field is healed', async () => {
    const live = await setup.live(object)
    return (live?.data as Record<string, string> | undefined)?.other === 'kept' && live
  })
}

test('an ignored field is created from Git and then left to others; its neighbours are still healed', async () => {
  const tuned = configMap(setup.namespace, 'tuned-one', { key: 'value', other: 'kept' })
  const plain = configMap(setup.namespace, 'plain')
  await setup.sync('ignoring', [tuned, plain], { ignore })
  expect(dataOf(await setup.live(tuned))).toBe('value')
  await edit(tuned, { key: 'tuned' })
  await edit(plain, { key: 'tuned' })
  await waitFor(
    'the object of another name is healed',
    async () => dataOf(await setup.live(plain)) === 'value',
  )
  expect(dataOf(await untilHealed(tuned))).toBe('tuned')
  // Nor does a new revision touch it, a change of that very field included.
  const changed = configMap(setup.namespace, 'tuned-one', { key: 'from Git', other: 'kept', more: 'new' })
  await setup.render('ignoring', [changed, plain], { revision: 'r2' })
  await setup.untilApplied('ignoring', 'r2')
  expect((await setup.live(tuned))?.data).toEqual({ key: 'tuned', other: 'kept', more: 'new' })
})

test('an ignored field that somebody removes stays away', async () => {
  const tuned = configMap(setup.namespace, 'tuned-away', { key: 'value', other: 'kept' })
  await setup.sync('removing', [tuned], { ignore })
  await edit(tuned, { key: null })
  expect((await untilHealed(tuned)).data).toEqual({ other: 'kept' })
})

test('an ignored field that another manager applies is left to it alone', async () => {
  const tuned = configMap(setup.namespace, 'tuned-shared', { key: 'value', other: 'kept' })
  await setup.sync('sharing', [tuned], { ignore })
  await setup.kube.apply(configMap(setup.namespace, 'tuned-shared', { key: 'theirs' }), {
    fieldManager: 'another-controller',
  })
  const live = await untilHealed(tuned)
  expect(live.data).toEqual({ key: 'theirs', other: 'kept' })
  const owners = (live.metadata.managedFields ?? []).filter(({ fieldsV1 }) =>
    JSON.stringify(fieldsV1).includes('"f:key"'),
  )
  expect(owners.map(({ manager }) => manager)).toEqual(['another-controller'])
})

test.each([
  [
    'a path that is no JSON pointer',
    { paths: ['spec.replicas'] },
    "spec.ignore[0].paths[0]: 'spec.replicas' is no",
  ],
  ['a path to the name', { paths: ['/metadata/name'] }, 'belongs to the identity of an object'],
  [
    'a target that cannot be read',
    { paths: ['/data'], target: { name: '(' } },
    "spec.ignore[0].target: '(' is no",
  ],
])('%s stalls, and nothing is applied', async (what, rule, problem) => {
  const name = what.replaceAll(' ', '-').toLowerCase()
  await setup.create(name, { ignore: [rule] })
  await setup.render(name, [configMap(setup.namespace, name)])
  const stalled = await setup.untilReady(name, 'False', 'ReconciliationFailed')
  expect(conditionOf(stalled, 'Stalled')?.message).toContain(problem)
  expect(await setup.live(configMap(setup.namespace, name))).toBeUndefined()
})
