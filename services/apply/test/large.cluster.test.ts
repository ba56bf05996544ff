import type { KubeObject } from '@setpoint/manifest'
import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, type Setup, startSetup } from './harness.ts'

/** What is larger than usual: sets of thousands, and objects at the limit of what etcd keeps. */

const OBJECTS = 5_000
let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

const object = (name: string) => configMap(setup.namespace, name)

test('a set of 5,000 objects is applied, and changing one of them asks about no other', async () => {
  const names = Array.from({ length: OBJECTS }, (_, index) => `many-${index}`)
  const rest = names.slice(1).map(object)
  await setup.create('many', { prune: false })
  await setup.render('many', [configMap(setup.namespace, 'many-0'), ...rest], { revision: 'r1' })
  const applied = await waitFor(
    'all of them are applied',
    async () => {
      const { status } = await setup.get('many')
      return status?.lastAppliedRevision === 'r1' && status
    },
    { timeoutMs: 300_000 },
  )
  expect(applied.inventory?.entries).toHaveLength(OBJECTS)
  const asked = () => setup.metric('setpoint_api_requests_total', { verb: 'dry-run' })
  const before = await asked()
  await setup.render('many', [configMap(setup.namespace, 'many-0', { key: 'new' }), ...rest], {
    revision: 'r2',
  })
  await setup.untilApplied('many', 'r2')
  expect((await asked()) - before).toBe(1)
}, 360_000)

test('an object of 1.4 MB is applied; one that etcd does not take is named, and nothing is pruned', async () => {
  const group = `${setup.namespace}.example.com`
  await setup.sync('bulky-kind', [definitionOf(group)])
  const bulky = (name: string, bytes: number): KubeObject => ({
    apiVersion: `${group}/v1`,
    kind: 'Bulk',
    metadata: { namespace: setup.namespace, name },
    content: 'x'.repeat(bytes),
  })
  await setup.sync('bulky', [bulky('fits', 1_400_000), object('bulky-old')], { retryInterval: '1s' })
  expect(await setup.live(bulky('fits', 0))).toMatchObject({ content: 'x'.repeat(1_400_000) })
  await setup.render('bulky', [bulky('fits', 1_400_000), bulky('too-large', 1_600_000)], { revision: 'r2' })
  const failed = await setup.untilReady('bulky', 'False', 'ReconciliationFailed')
  expect(conditionOf(failed, 'Ready')?.message).toContain(`Bulk/${setup.namespace}/too-large`)
  expect(conditionOf(failed, 'Ready')?.message).toMatch(/too large/i)
  expect(await setup.live(object('bulky-old'))).toBeDefined()
  await setup.render('bulky', [bulky('fits', 1_400_000)], { revision: 'r3' })
  await setup.untilApplied('bulky', 'r3')
  expect(await setup.live(object('bulky-old'))).toBeUndefined()
  for (const name of ['bulky', 'bulky-kind']) await setup.delete(name)
})

function definitionOf(group: string): KubeObject {
  const schema = { openAPIV3Schema: { type: 'object', properties: { content: { type: 'string' } } } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `bulks.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'bulks', kind: 'Bulk' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  }
}
