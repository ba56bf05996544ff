import type { KubeObject } from '@setpoint/manifest'
import { expect, test } from 'vitest'
import { changedFields, fieldName } from './changed-fields.ts'
import { foreignManagerOf } from './field-managers.ts'

const live: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    managedFields: [
      {
        manager: 'kustomize-controller',
        operation: 'Apply',
        time: '2026-01-01T00:00:00Z',
        fieldsV1: {
          'f:data': { 'f:a.b': {} },
          'f:spec': { 'f:paused': {}, 'f:items': { 'k:{"name":"x"}': { 'f:image': {} } } },
        },
      },
      {
        manager: 'kubectl-scale',
        operation: 'Update',
        subresource: 'scale',
        time: '2026-01-02T00:00:00Z',
        fieldsV1: { 'f:spec': { 'f:replicas': {} } },
      },
      {
        manager: 'someone',
        operation: 'Update',
        time: '2026-01-03T00:00:00Z',
        fieldsV1: {
          'f:spec': { 'f:items': { 'k:{"name":"y"}': { '.': {}, 'f:image': {} } }, 'f:atomic': {} },
        },
      },
    ],
  },
  data: { 'a.b': '1' },
  spec: {
    replicas: 5,
    paused: true,
    items: [
      { name: 'x', image: '1' },
      { name: 'y', image: '2' },
    ],
    atomic: { deep: 1 },
  },
}

test.each([
  ['a field set through a subresource', ['spec', 'replicas'], 'kubectl-scale'],
  ['an item of a list, found by its key', ['spec', 'items', 1, 'image'], 'someone'],
  ['what lies below an atomic field', ['spec', 'atomic', 'deep'], 'someone'],
  ['our own', ['spec', 'paused'], undefined],
  ['our own item', ['spec', 'items', 0, 'image'], undefined],
  ['a field that was taken away', ['spec', 'gone'], 'someone'],
])('%s names its manager', (_what, path, manager) => {
  expect(foreignManagerOf(live, path)).toBe(manager)
})

test('changed fields are named by their path; status and what the server writes do not count', () => {
  const wanted = {
    ...live,
    metadata: { name: 'web', generation: 7 },
    data: { 'a.b': '2' },
    spec: {
      ...(live.spec as object),
      replicas: 2,
      items: [
        { name: 'x', image: '1' },
        { name: 'y', image: '3' },
      ],
    },
    status: { replicas: 2 },
  } as unknown as KubeObject
  expect(changedFields(live, wanted).map(fieldName)).toEqual([
    'data["a.b"]',
    'spec.replicas',
    'spec.items[1].image',
  ])
})
