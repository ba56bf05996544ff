import type { Json } from '@setpoint/manifest'
import { expect, it } from 'vitest'
import { applyJsonPatch, type JsonPatchOperation } from './json-patch.ts'

const document = (): Json => ({ a: { 'x/y': 1, 'm~n': 2 }, list: [1, 2, 3] })

it.each<[string, JsonPatchOperation, Json]>([
  [
    'escapes in a path',
    { op: 'replace', path: '/a/x~1y', value: 5 },
    { a: { 'x/y': 5, 'm~n': 2 }, list: [1, 2, 3] },
  ],
  ['an index', { op: 'add', path: '/list/1', value: 9 }, { a: { 'x/y': 1, 'm~n': 2 }, list: [1, 9, 2, 3] }],
  [
    'the end of a list',
    { op: 'add', path: '/list/-', value: 9 },
    { a: { 'x/y': 1, 'm~n': 2 }, list: [1, 2, 3, 9] },
  ],
  ['an index from the end', { op: 'remove', path: '/list/-1' }, { a: { 'x/y': 1, 'm~n': 2 }, list: [1, 2] }],
  ['a move', { op: 'move', from: '/a/m~0n', path: '/n' }, { a: { 'x/y': 1 }, list: [1, 2, 3], n: 2 }],
  [
    'a replace of a key that is not there',
    { op: 'replace', path: '/n', value: 1 },
    { a: { 'x/y': 1, 'm~n': 2 }, list: [1, 2, 3], n: 1 },
  ],
])('%s is taken', (_what, operation, wanted) => {
  expect(applyJsonPatch(document(), [operation])).toEqual(wanted)
})

it.each<[string, JsonPatchOperation, RegExp]>([
  ['a path that leads nowhere', { op: 'add', path: '/none/x', value: 1 }, /there is no \/none\/x/],
  ['an index beyond the list', { op: 'add', path: '/list/5', value: 1 }, /names no item of a list of 3/],
  ['a key that is not there', { op: 'remove', path: '/none' }, /there is no \/none/],
  ['a test that fails', { op: 'test', path: '/list/0', value: 2 }, /testing value \/list\/0 failed: it is 1/],
  [
    'a word that is no operation',
    { op: 'relpace', path: '/a' },
    /unknown operation 'relpace' at \/a; did you mean 'replace'\?/,
  ],
  ['a move without a source', { op: 'move', path: '/a' }, /needs 'from'/],
])('%s is refused', (_what, operation, message) => {
  expect(() => applyJsonPatch(document(), [operation])).toThrow(message)
})
