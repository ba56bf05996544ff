import type { KubeObject } from '@setpoint/manifest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, type Setup, startSetup } from './harness.ts'

const DEFAULT_ACCOUNT = 'deployer'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup([`--default-service-account=${DEFAULT_ACCOUNT}`])
  await setup.kube.create(account(DEFAULT_ACCOUNT))
  await setup.kube.create(role())
  await allow(DEFAULT_ACCOUNT)
})
afterAll(() => setup?.[Symbol.asyncDispose]())

function account(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: setup.namespace, name } }
}

/** Everything with ConfigMaps of the namespace, and nothing else. */
function role(): KubeObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { namespace: setup.namespace, name: 'config-maps' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }],
  }
}

async function allow(name: string, to = 'config-maps'): Promise<void> {
  await setup.kube.apply(
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { namespace: setup.namespace, name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: to },
      subjects: [{ kind: 'ServiceAccount', name, namespace: setup.namespace }],
    },
    { fieldManager: 'test' },
  )
}

const userOf = (name: string) => `system:serviceaccount:${setup.namespace}:${name}`

function service(name: string): KubeObject {
  const spec = { ports: [{ port: 80 }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace: setup.namespace, name }, spec }
}

test('a tenant applies, heals and prunes what its account may', async () => {
  const one = configMap(setup.namespace, 'tenant-one')
  const two = configMap(setup.namespace, 'tenant-two')
  await setup.kube.create(account('tenant'))
  await allow('tenant')
  await setup.sync('tenant', [one, two], { serviceAccountName: 'tenant' })
  await setup.render('tenant', [one], { revision: 'r2' })
  await setup.untilApplied('tenant', 'r2')
  expect(await setup.live(one)).toBeDefined()
  expect(await setup.live(two)).toBeUndefined()
})

test('what the account may not is named, with verb, resource and account, and nothing is pruned', async () => {
  const before = configMap(setup.namespace, 'stays')
  await setup.sync('overreaching', [before])
  await setup.render('overreaching', [configMap(setup.namespace, 'stays-away'), service('forbidden')], {
    revision: 'r2',
  })
  const failed = await setup.untilReady('overreaching', 'False', 'ReconciliationFailed')
  expect(conditionOf(failed, 'Ready')?.message).toContain(
    `Service/${setup.namespace}/forbidden dry-run failed (Forbidden): services "forbidden" is forbidden: User "${userOf(DEFAULT_ACCOUNT)}" cannot patch resource "services" in API group "" in the namespace "${setup.namespace}"`,
  )
  expect(conditionOf(failed, 'Ready')?.message).toContain(
    '; bind a Role that allows it to the service account',
  )
  expect(await setup.live(before)).toBeDefined()
  expect(await setup.live(configMap(setup.namespace, 'stays-away'))).toBeUndefined()
})

test('a Kustomization that changes its account is checked anew', async () => {
  const object = configMap(setup.namespace, 'handed')
  await setup.sync('handed', [object], { serviceAccountName: DEFAULT_ACCOUNT })
  await setup.patchSpec('handed', { serviceAccountName: 'powerless' })
  await setup.render('handed', [object], { revision: 'r2' })
  const failed = await setup.untilReady('handed', 'False', 'ReconciliationFailed')
  expect(conditionOf(failed, 'Ready')?.message).toContain(`User "${userOf('powerless')}" cannot`)
  await allow('powerless')
  await setup.request('handed', 'again')
  await setup.render('handed', [object], { revision: 'r2' })
  await setup.untilApplied('handed', 'r2')
})

test('health is looked at as the account, so that it shows no more than the account may see', async () => {
  const healthChecks = [{ apiVersion: 'v1', kind: 'Secret', name: 'sealing-key' }]
  await setup.create('curious', { healthChecks })
  await setup.render('curious', [configMap(setup.namespace, 'curious')])
  const failed = await setup.untilReady('curious', 'False', 'ReconciliationFailed')
  expect(conditionOf(failed, 'Ready')?.message).toContain(
    `User "${userOf(DEFAULT_ACCOUNT)}" cannot get resource "secrets"`,
  )
})

test('deleting a Kustomization whose account is gone leaves its objects behind, and says so', async () => {
  const object = configMap(setup.namespace, 'left-behind')
  await setup.kube.create(account('leaver'))
  await allow('leaver')
  await setup.sync('left-behind', [object], { serviceAccountName: 'leaver' })
  await setup.kube.delete({ group: '', kind: 'ServiceAccount' }, account('leaver').metadata)
  await setup.delete('left-behind')
  expect(await setup.live(object)).toBeDefined()
  const news = `the service account to delete as is gone; left behind: ${setup.namespace}_left-behind__ConfigMap`
  await setup.untilEvent('left-behind', ({ message }) => message.includes(news))
})

test('an object that the account may not delete stays in the inventory, and is told of', async () => {
  const gone = configMap(setup.namespace, 'undeletable')
  const kept = configMap(setup.namespace, 'deletable')
  await setup.kube.create({
    ...role(),
    metadata: { namespace: setup.namespace, name: 'no-deletion' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create', 'patch'] }],
  })
  await allow('keeper', 'no-deletion')
  await setup.sync('undeletable', [gone, kept], { serviceAccountName: 'keeper' })
  await setup.render('undeletable', [kept], { revision: 'r2' })
  const failed = await setup.untilReady('undeletable', 'False', 'PruneFailed')
  expect(conditionOf(failed, 'Ready')?.message).toContain(
    `User "${userOf('keeper')}" cannot delete resource "configmaps"`,
  )
  expect(failed.status?.inventory?.entries.map(({ id }) => id)).toEqual([
    `${setup.namespace}_deletable__ConfigMap`,
    `${setup.namespace}_undeletable__ConfigMap`,
  ])
  expect(failed.status?.lastAppliedRevision).not.toBe('r2')
})
