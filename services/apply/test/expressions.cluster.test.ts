import type { KubeObject } from '@setpoint/manifest'
import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, type Setup, startSetup } from './harness.ts'

let setup: Setup
let group: string
beforeAll(async () => {
  setup = await startSetup()
  group = `${setup.namespace}.example.com`
  await setup.sync('definition', [databaseDefinition()], { wait: true })
  await waitFor('the test knows the kind, too', async () => {
    setup.kube.invalidateDiscovery()
    return setup.kube.resource({ group, version: 'v1', kind: 'Database' })
  })
})
afterAll(async () => {
  await setup?.delete('definition')
  await setup?.[Symbol.asyncDispose]()
})

function databaseDefinition(): KubeObject {
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `databases.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'databases', kind: 'Database' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  }
}

function database(name: string): KubeObject {
  return {
    apiVersion: `${group}/v1`,
    kind: 'Database',
    metadata: { namespace: setup.namespace, name },
    spec: { size: 1 },
  }
}

async function setStatus(object: KubeObject, status: object): Promise<void> {
  await setup.kube.mergePatch({ group, version: 'v1', kind: 'Database' }, object.metadata, { status })
}

// Another version than the object's: only the group counts.
const expressions = () => ({
  apiVersion: `${group}/v1alpha1`,
  inProgress: `status.phase == 'Creating'`,
  failed: `status.phase == 'Broken'`,
  current: `status.phase.startsWith('Ready')`,
})

test('the health of a custom resource is what the expressions say, as its status changes', async () => {
  const object = database('healthy')
  await setup.create('healthy', { wait: true, healthCheckExprs: [expressions()] })
  await setup.render('healthy', [object], { revision: 'r1' })
  await setup.untilReady('healthy', 'Unknown', 'Progressing')
  await setup.untilHealthy('healthy', 'Unknown')
  await setStatus(object, { phase: 'Creating' })
  await setStatus(object, { phase: 'Ready', observedGeneration: 1_000 })
  expect((await setup.get('healthy')).status?.lastAppliedRevision).toBeUndefined()
  await setStatus(object, { observedGeneration: null })
  await setup.untilApplied('healthy', 'r1')
})

test('wait covers a custom resource without expressions by its condition Ready', async () => {
  const object = database('by-condition')
  await setup.sync('by-condition-first', [object], { wait: true })
  const conditions = (status: string) => ({ conditions: [{ type: 'Ready', status }] })
  await setStatus(object, conditions('False'))
  await setup.create('by-condition', {
    healthChecks: [{ apiVersion: `${group}/v1`, kind: 'Database', name: 'by-condition' }],
  })
  await setup.render('by-condition', [configMap(setup.namespace, 'by-condition')], { revision: 'r1' })
  await setup.untilHealthy('by-condition', 'Unknown')
  await setStatus(object, conditions('True'))
  await setup.untilApplied('by-condition', 'r1')
})

test('a resource that an expression calls failed ends the wait', async () => {
  const object = database('failed')
  const checks = [{ apiVersion: `${group}/v1`, kind: 'Database', name: 'failed' }]
  await setup.create('failed', {
    timeout: '5m',
    healthChecks: checks,
    healthCheckExprs: [{ ...expressions(), kind: 'Database' }],
  })
  await setup.render('failed', [object])
  await setup.untilHealthy('failed', 'Unknown')
  await setStatus(object, { phase: 'Broken' })
  const failed = await setup.untilReady('failed', 'False', 'HealthCheckFailed')
  expect(conditionOf(failed, 'Ready')?.message).toContain(
    `Database/${setup.namespace}/failed status: 'Failed'`,
  )
})

test('an expression that is none stalls before anything is applied, naming the field and the place', async () => {
  const broken = { ...expressions(), current: 'status.phase ==' }
  await setup.create('no-expression', { wait: true, healthCheckExprs: [expressions(), broken] })
  await setup.render('no-expression', [database('no-expression')])
  const stalled = await setup.untilReady('no-expression', 'False', 'InvalidCELExpression')
  expect(conditionOf(stalled, 'Stalled')?.message).toBe(
    "spec.healthCheckExprs[1].current: expression 'status.phase ==': column 16: Unexpected token: EOF",
  )
  expect(stalled.status?.observedGeneration).toBe(1)
  expect(stalled.status?.inventory).toBeUndefined()
  expect(await setup.live(database('no-expression'))).toBeUndefined()
})

test('a readyExpr is woken by any change of what it looks at', async () => {
  const readyExpr = `self.spec.path == dep.spec.path && dep.metadata.?labels.?level.orValue('') == 'gold'`
  await setup.sync('looked-at', [configMap(setup.namespace, 'looked-at')])
  await setup.create('looking', { dependsOn: [{ name: 'looked-at', readyExpr }] })
  await setup.render('looking', [configMap(setup.namespace, 'looking')], { revision: 'r1' })
  const waiting = await setup.untilReady('looking', 'False', 'DependencyNotReady')
  expect(conditionOf(waiting, 'Ready')?.message).toContain('looked-at')
  await setup.kube.mergePatch(
    { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization' },
    { namespace: setup.namespace, name: 'looked-at' },
    { metadata: { labels: { level: 'gold' } } },
  )
  await setup.untilApplied('looking', 'r1')
})

test('a readyExpr that is none stalls', async () => {
  await setup.create('no-ready-expr', { dependsOn: [{ name: 'looked-at', readyExpr: 'dep.ready +' }] })
  await setup.render('no-ready-expr', [configMap(setup.namespace, 'no-ready-expr')])
  const stalled = await setup.untilReady('no-ready-expr', 'False', 'InvalidCELExpression')
  expect(conditionOf(stalled, 'Stalled')?.message).toContain('spec.dependsOn[0].readyExpr')
})

test('Kustomizations that wait for one another are named, and go on once the circle is broken', async () => {
  const { namespace } = setup
  await setup.create('chicken', { dependsOn: [{ name: 'egg' }] })
  await setup.create('egg', { dependsOn: [{ name: 'chicken' }] })
  for (const name of ['chicken', 'egg']) await setup.render(name, [configMap(namespace, name)])
  for (const [name, other] of [['chicken', 'egg'] as const, ['egg', 'chicken'] as const]) {
    await setup.untilReadySays(
      name,
      `dependency cycle: ${namespace}/${name} -> ${namespace}/${other} -> ${namespace}/${name}`,
    )
    expect(await setup.live(configMap(namespace, name))).toBeUndefined()
  }
  await setup.patchSpec('egg', { dependsOn: [] })
  await setup.render('egg', [configMap(namespace, 'egg')], { revision: 'r2' })
  await setup.untilApplied('egg', 'r2')
  await setup.render('chicken', [configMap(namespace, 'chicken')], { revision: 'r2' })
  await setup.untilApplied('chicken', 'r2')
})
