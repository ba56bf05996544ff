import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

test('a rendered set is applied, and the status says so as Flux does', async () => {
  const object = configMap(setup.namespace, 'first')
  const before = await setup.writes()
  const kustomization = await setup.sync('first', [object])
  expect((await setup.live(object))?.data).toEqual({ key: 'value' })
  expect(kustomization.metadata.finalizers).toEqual(['finalizers.fluxcd.io'])
  expect(conditionOf(kustomization, 'Ready')).toMatchObject({
    reason: 'ReconciliationSucceeded',
    message: `Applied revision: ${kustomization.status?.lastAppliedRevision}`,
    observedGeneration: 1,
  })
  expect(kustomization.status).toMatchObject({
    observedGeneration: 1,
    inventory: { entries: [{ id: `${setup.namespace}_first__ConfigMap`, v: 'v1' }] },
    lastAttemptedRevision: kustomization.status?.lastAppliedRevision,
    history: [{ lastReconciledStatus: 'ReconciliationSucceeded', totalReconciliations: 1 }],
  })
  expect((await setup.writes()) - before).toBe(4)
})
