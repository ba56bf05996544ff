import { expect, test } from 'vitest'
import { inventoryEntry, inventoryId, parseInventoryId } from './inventory-id.ts'

test.each([
  ['prod_web_apps_Deployment', { namespace: 'prod', name: 'web', group: 'apps', kind: 'Deployment' }],
  ['_apps__Namespace', { namespace: '', name: 'apps', group: '', kind: 'Namespace' }],
  [
    '_system__coredns_rbac.authorization.k8s.io_ClusterRole',
    { namespace: '', name: 'system:coredns', group: 'rbac.authorization.k8s.io', kind: 'ClusterRole' },
  ],
])('%s names its object both ways', (id, ref) => {
  expect(inventoryId(ref)).toBe(id)
  expect(parseInventoryId(id)).toEqual(ref)
})

test('an entry carries the version of the API it was applied at', () => {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'prod' } }
  expect(inventoryEntry(object)).toEqual({ id: 'prod_web_apps_Deployment', v: 'v1' })
})

test('an id with fewer than four parts is refused', () => {
  expect(() => parseInventoryId('web')).toThrow('inventory id')
})
