import type { KubeObject } from '@setpoint/manifest'
import { expect, test } from 'vitest'
import { appliedByOthers, parsePointer, valueAt, withValueAt } from './field-path.ts'

test.each<[string, string[] | undefined]>([
  ['/spec/replicas', ['spec', 'replicas']],
  ['/metadata/annotations/example.com~1a~0b', ['metadata', 'annotations', 'example.com/a~b']],
  ['spec/replicas', undefined],
  ['', undefined],
  ['/spec/~2', undefined],
])('the pointer %j', (pointer, path) => {
  expect(parsePointer(pointer)).toEqual(path)
})

test.each<[string, string[], unknown, unknown]>([
  ['another value', ['spec', 'replicas'], 5, { spec: { replicas: 5, list: [{ a: 1 }, { a: 2 }] } }],
  ['no value', ['spec', 'replicas'], undefined, { spec: { list: [{ a: 1 }, { a: 2 }] } }],
  [
    'a new map',
    ['data', 'key'],
    'x',
    { spec: { replicas: 1, list: [{ a: 1 }, { a: 2 }] }, data: { key: 'x' } },
  ],
  [
    'no value where there is none',
    ['data', 'key'],
    undefined,
    { spec: { replicas: 1, list: [{ a: 1 }, { a: 2 }] } },
  ],
  ['an element', ['spec', 'list', '1', 'a'], 3, { spec: { replicas: 1, list: [{ a: 1 }, { a: 3 }] } }],
  ['no such element', ['spec', 'list', '7', 'a'], 3, { spec: { replicas: 1, list: [{ a: 1 }, { a: 2 }] } }],
])('a copy with %s at a path', (_what, path, value, expected) => {
  const target = { spec: { replicas: 1, list: [{ a: 1 }, { a: 2 }] } }
  expect(withValueAt<unknown>(target, path, value)).toEqual(expected)
  expect(target).toEqual({ spec: { replicas: 1, list: [{ a: 1 }, { a: 2 }] } })
  expect(valueAt(target, ['spec', 'list', '1', 'a'])).toBe(2)
})

const live = {
  metadata: {
    managedFields: [
      { manager: 'ours', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:paused': {} } } },
      { manager: 'updater', operation: 'Update', fieldsV1: { 'f:spec': { 'f:minReadySeconds': {} } } },
      { manager: 'status', operation: 'Apply', subresource: 'status', fieldsV1: { 'f:status': {} } },
      {
        manager: 'theirs',
        operation: 'Apply',
        fieldsV1: {
          'f:spec': {
            'f:replicas': {},
            'f:strategy': {},
            'f:containers': { 'k:{"name":"side"}': { '.': {}, 'f:image': {} } },
            'f:finalizers': { 'v:"a"': {} },
          },
        },
      },
    ],
  },
  spec: { containers: [{ name: 'main' }, { name: 'side' }], finalizers: ['b', 'a'], strategy: { type: 'x' } },
} as unknown as KubeObject

test.each([
  ['/spec/replicas', true],
  ['/spec/strategy/type', true],
  ['/spec/containers', true],
  ['/spec/containers/1/image', true],
  ['/spec/containers/0/image', false],
  ['/spec/containers/1/command', false],
  ['/spec/finalizers/1', true],
  ['/spec/finalizers/0', false],
  ['/spec/paused', false],
  ['/spec/minReadySeconds', false],
  ['/status/phase', false],
])('%s is applied by another manager: %s', (pointer, expected) => {
  expect(appliedByOthers(live, parsePointer(pointer) ?? [], 'ours')).toBe(expected)
})
