import { expect, test } from 'vitest'
import { parseJson, stringifyJson } from './json.ts'

test('an integer beyond 2^53 survives reading and writing', () => {
  const text = '{"n":9007199254740993,"m":12}'
  expect(parseJson(text)).toEqual({ n: 9007199254740993n, m: 12 })
  expect(stringifyJson(parseJson(text))).toBe(text)
})

test('a long fraction stays a number', () => {
  expect(parseJson('{"n":0.12345678901234566}')).toEqual({ n: 0.12345678901234566 })
})
