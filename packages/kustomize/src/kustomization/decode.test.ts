import { expect, it } from 'vitest'
import { decode } from './decode.ts'
import { nearestName } from './nearest.ts'
import { list, stringMap, struct } from './shape.ts'

const shape = struct({ name: 'string', count: 'int', on: 'bool', tags: list('string'), pairs: stringMap })
const strict = { strict: true, coerce: false }

it('fields are found without regard to case, and nulls are left out', () => {
  expect(decode({ NAME: 'a', count: null, tags: ['x', null] }, shape, strict)).toEqual({
    name: 'a',
    tags: ['x', ''],
  })
})

it.each([
  [{ nmae: 'a' }, 'unknown field "nmae"; did you mean "name"?'],
  [{ unheardOf: 'a' }, 'unknown field "unheardOf"'],
  [{ name: ['a'] }, 'must be a string, not a list'],
  [{ count: 1.5 }, "must be a whole number, not '1.5'"],
  [{ on: 'yes' }, "must be true or false, not 'yes'"],
  [{ tags: 'x' }, "must be a list, not 'x'"],
  [{ pairs: { a: { b: 'c' } } }, 'must be a string, not a map'],
])('%j is refused', (value, message) => {
  expect(() => decode(value, shape, strict)).toThrow(message)
})

it('numbers stand for text where the caller says so', () => {
  expect(decode({ name: 5 }, shape, { strict: true, coerce: true })).toEqual({ name: '5' })
})

it.each([
  ['resourses', 'resources'],
  ['patchs', 'patches'],
  ['nothingLikeIt', undefined],
])('the name nearest to %s is %s', (name, nearest) => {
  expect(nearestName(name, ['resources', 'patches', 'images'])).toBe(nearest)
})
