import { expect, it } from 'vitest'
import { matchPath } from './match.ts'

function find(path: string[], create?: 'map' | 'list' | 'scalar') {
  const tree = {
    list: [
      { name: 'ab', v: 1 },
      { name: 'b', v: 2 },
    ],
    map: { k: 3 },
  }
  const slots = matchPath({ get: () => tree, set: () => {} }, path, create)
  return { found: slots.map((slot) => slot.get()), tree }
}

it.each([
  [['list', '1', 'v'], [2]],
  [
    ['list', '*', 'v'],
    [1, 2],
  ],
  [
    ['list', '[name=b]', 'v'],
    [1, 2],
  ],
  [['list', '[name=^b$]', 'v'], [2]],
  [['map', 'missing'], []],
])('the path %j names %j', (path, values) => {
  expect(find(path).found).toEqual(values)
})

it('makes what is missing where it may create', () => {
  const { tree } = find(['map', 'new', '[name=x]', 'deep'], 'scalar')
  expect(tree.map).toMatchObject({ k: 3, new: [{ deep: '' }] })
})

it('appends the item behind the last one, and no other', () => {
  expect(find(['list', '2', 'v'], 'scalar').tree.list).toHaveLength(3)
  expect(() => find(['list', '4', 'v'], 'scalar')).toThrow('index 4 specified but only 2 elements found')
})
