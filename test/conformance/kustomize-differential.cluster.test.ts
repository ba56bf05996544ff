import { binary } from '@setpoint/testkit'
import { expect, test } from 'vitest'
import { type Comparison, compareSeeds } from './differential.ts'
import { generateOverlay } from './generator/overlay.ts'
import { kubectlKustomize, realKustomize } from './real-kustomize.ts'
import { smallCases } from './small-cases.ts'

const count = 200
// generateOverlay(seed) makes one of them again. `npm run fuzz:kustomize` goes on with other seeds.
const first = 100_000

test(`${count} overlays made at random, from seed ${first} on, render as kustomize renders them`, {
  timeout: 240_000,
}, async () => {
  const results: Comparison[] = []
  await compareSeeds({ first, count }, await realKustomize(), (result) => results.push(result))
  expect(results.filter(({ outcome }) => outcome === 'different')).toEqual([])
  expect(results.filter(({ outcome }) => outcome === 'same').length).toBeGreaterThan(count / 10)
})

test('the answers of the small cases are those of kustomize', { timeout: 240_000 }, async () => {
  const answers = await (await realKustomize())(smallCases.map(({ files }) => ({ files, root: '' })))
  const named = smallCases.map(({ name }, at) => ({ name, answer: successOf(answers[at]) }))
  expect(named).toEqual(smallCases.map(({ name, want }) => ({ name, answer: want })))
})

test('the kustomize that they are compared with answers as kubectl kustomize', {
  timeout: 60_000,
}, async () => {
  const overlays = Array.from({ length: 5 }, (_, at) => generateOverlay(first + at))
  const kubectl = kubectlKustomize(await binary('kubectl'))
  const [wanted, found] = await Promise.all([kubectl(overlays), (await realKustomize())(overlays)])
  expect(found.map(successOf)).toEqual(wanted.map(successOf))
})

function successOf(answer: { failed: boolean; text: string } | undefined): string | undefined {
  return answer?.failed === false ? answer.text : undefined
}
