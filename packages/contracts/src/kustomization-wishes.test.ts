import { expect, test } from 'vitest'
import type { Kustomization } from './kustomization.ts'
import { wishesOf } from './kustomization-wishes.ts'

const withAnnotations = (annotations: Record<string, string>) =>
  ({ metadata: { name: 'apps', annotations } }) as unknown as Kustomization

test('without annotations drift is enforced, sets are applied as a whole, and nobody has approved anything', () => {
  expect(wishesOf(withAnnotations({}))).toEqual({
    wishes: { drift: 'enforce', partial: false, pruneBudget: undefined, approvedPrune: '' },
    problems: [],
  })
})

test.each([
  ['5', { objects: 5 }],
  ['0', { objects: 0 }],
  ['12.5%', { percent: 12.5 }],
  ['100%', { percent: 100 }],
])('a prune budget of %s is understood', (value, budget) => {
  const { wishes, problems } = wishesOf(withAnnotations({ 'setpoint.dev/prune-budget': value }))
  expect(wishes.pruneBudget).toEqual(budget)
  expect(problems).toEqual([])
})

test.each([
  ['setpoint.dev/prune-budget', '101%', 'a count such as 5 or a percentage such as 10%'],
  ['setpoint.dev/prune-budget', '-1', 'a count such as 5 or a percentage such as 10%'],
  ['setpoint.dev/prune-budget', '', 'a count such as 5 or a percentage such as 10%'],
  ['setpoint.dev/drift', 'Warn', 'one of enforce, warn, ignore'],
  ['setpoint.dev/apply', 'yes', 'one of partial, whole'],
])('%s: %s is refused, saying what is allowed', (key, value, allowed) => {
  const { problems } = wishesOf(withAnnotations({ [key]: value }))
  expect(problems).toEqual([`annotation ${key}: "${value}" is not ${allowed}`])
})
