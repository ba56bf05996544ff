import type { KubeObject } from '@setpoint/manifest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

function service(name: string, spec: Record<string, unknown>): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace: setup.namespace, name }, spec }
}

test('refused objects are all named, and nothing of their stage is applied', async () => {
  const good = configMap(setup.namespace, 'good')
  await setup.create('refused')
  await setup.render('refused', [
    good,
    service('no-ports', { ports: [{ port: 99999 }] }),
    configMap(setup.namespace, 'Wrong_Name'),
  ])
  const kustomization = await setup.untilReady('refused', 'False', 'ReconciliationFailed')
  const message = conditionOf(kustomization, 'Ready')?.message ?? ''
  expect(message).toContain(`Service/${setup.namespace}/no-ports dry-run failed (Invalid)`)
  expect(message).toContain('spec.ports[0].port')
  expect(message).toContain(`ConfigMap/${setup.namespace}/Wrong_Name dry-run failed (Invalid)`)
  expect(await setup.live(good)).toBeUndefined()
  expect(conditionOf(kustomization, 'Reconciling')?.reason).toBe('ProgressingWithRetry')
  expect(kustomization.status?.observedGeneration).toBe(-1)
})

test('a namespace that does not exist is named, with what to do', async () => {
  await setup.create('no-namespace')
  await setup.render('no-namespace', [configMap('is-not-there', 'a')])
  const kustomization = await setup.untilReady('no-namespace', 'False', 'ReconciliationFailed')
  expect(conditionOf(kustomization, 'Ready')?.message).toBe(
    'ConfigMap/is-not-there/a dry-run failed (NotFound): namespaces "is-not-there" not found; create the namespace or add it to the set',
  )
})

test('an object without a namespace is named, with what to do', async () => {
  await setup.create('nowhere')
  const nowhere: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }
  await setup.render('nowhere', [nowhere])
  const kustomization = await setup.untilReady('nowhere', 'False', 'ReconciliationFailed')
  expect(conditionOf(kustomization, 'Ready')?.message).toContain('ConfigMap/a namespace not specified')
})

test('a kind that the cluster does not serve is named', async () => {
  await setup.create('unknown-kind')
  const unknown = {
    apiVersion: 'example.com/v1',
    kind: 'Nothing',
    metadata: { namespace: setup.namespace, name: 'a' },
  }
  await setup.render('unknown-kind', [unknown])
  const kustomization = await setup.untilReady('unknown-kind', 'False', 'ReconciliationFailed')
  expect(conditionOf(kustomization, 'Ready')?.message).toContain('no matches for kind "Nothing"')
})

test('an object of a namespace in the same set is applied after it', async () => {
  const name = `${setup.namespace}-inner`
  const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
  const inner = configMap(name, 'inner')
  await setup.sync('with-namespace', [inner, namespace])
  expect(await setup.live(inner)).toBeDefined()
  await setup.delete('with-namespace')
})

test('a custom resource is applied after its definition in the same set', async () => {
  const group = `${setup.namespace}.example.com`
  const definition: KubeObject = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  }
  // A build puts its namespace into what it does not know to be cluster-scoped.
  const resource: KubeObject = {
    apiVersion: `${group}/v1`,
    kind: 'Widget',
    metadata: { name: 'one', namespace: setup.namespace },
    spec: { size: 1 },
  }
  const { status } = await setup.sync('definition', [resource, definition])
  expect(status?.inventory?.entries.map(({ id }) => id)).toContain(`_one_${group}_Widget`)
  expect(await setup.live({ ...resource, metadata: { name: 'one' } })).toBeDefined()
  await setup.delete('definition')
})

test('an immutable field is named; with force the object is made anew', async () => {
  const immutable = (value: string): KubeObject => ({
    ...configMap(setup.namespace, 'fixed', { key: value }),
    immutable: true,
  })
  await setup.sync('fixed', [immutable('one')])
  const before = await setup.live(immutable('one'))
  await setup.render('fixed', [immutable('two')], { revision: 'r2' })
  const failed = await setup.untilReady('fixed', 'False', 'ReconciliationFailed')
  const message = conditionOf(failed, 'Ready')?.message ?? ''
  expect(message).toContain(`ConfigMap/${setup.namespace}/fixed dry-run failed (Invalid)`)
  expect(message).toContain('data: Forbidden: field is immutable when `immutable` is set')
  expect(message).toContain('spec.force')
  await setup.patchSpec('fixed', { force: true })
  await setup.render('fixed', [immutable('two')], { revision: 'r2' })
  await setup.untilApplied('fixed', 'r2')
  const after = await setup.live(immutable('two'))
  expect(after?.data).toEqual({ key: 'two' })
  expect(after?.metadata.uid).not.toBe(before?.metadata.uid)
})

test('with force an object that is simply wrong is not deleted', async () => {
  const good = service('forced', { ports: [{ port: 80 }] })
  await setup.sync('forced', [good], { force: true })
  const before = await setup.live(good)
  await setup.render('forced', [service('forced', { ports: [{ port: 99999 }] })], { revision: 'r2' })
  await setup.untilReady('forced', 'False', 'ReconciliationFailed')
  expect((await setup.live(good))?.metadata.uid).toBe(before?.metadata.uid)
})

test('the value of a refused Secret reaches no status', async () => {
  const secret: KubeObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: setup.namespace, name: 'refused' },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from('hunter2-is-no-json').toString('base64') },
  }
  await setup.create('secret')
  await setup.render('secret', [secret])
  const kustomization = await setup.untilReady('secret', 'False', 'ReconciliationFailed')
  expect(JSON.stringify(kustomization.status)).not.toContain('hunter2')
  expect(setup.service.child.logs()).not.toContain('hunter2')
})
