import { expect, test } from 'vitest'
import { checkMutation } from './mutation.ts'

const count = 200

test(`${count} damaged overlays end in time, with objects or with a problem that has a code`, () => {
  const first = Math.floor(Date.now() / 86_400_000) * 1000
  const seeds = Array.from({ length: count }, (_, at) => first + at)
  expect(seeds.flatMap((seed) => checkMutation(seed, () => performance.now()) ?? [])).toEqual([])
})
