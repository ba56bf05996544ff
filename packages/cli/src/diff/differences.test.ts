import type { KubeObject } from '@setpoint/manifest'
import { expect, test } from 'vitest'
import { differences } from './differences.ts'

const object = (fields: object, kind = 'ConfigMap'): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'web', uid: Math.random().toString() },
  ...fields,
})

test('changed, new and vanished fields are named by their path', () => {
  const before = object({ data: { a: '1', b: '2' }, list: [{ image: 'x:1' }] })
  const after = object({ data: { a: '1', 'c.d': '3' }, list: [{ image: 'x:2' }] })
  expect(differences(before, after)).toEqual([
    { path: 'data.b', before: '2', after: undefined },
    { path: 'data["c.d"]', before: undefined, after: '3' },
    { path: 'list[0].image', before: 'x:1', after: 'x:2' },
  ])
})

test('what the API server writes by itself is no difference', () => {
  expect(differences(object({ status: { a: 1 } }), object({ status: { a: 2 } }))).toEqual([])
})

test('the value of a Secret is never shown', () => {
  const changes = differences(
    object({ data: { token: 'aHVudGVyMg==' } }, 'Secret'),
    object({ data: { token: 'bmV3' } }, 'Secret'),
  )
  expect(changes).toHaveLength(1)
  expect(JSON.stringify(changes)).not.toMatch(/aHVudGVyMg|bmV3/)
})
