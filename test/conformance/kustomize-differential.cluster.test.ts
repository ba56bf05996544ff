import { binary } from '@setpoint/testkit'
import { expect, test } from 'vitest'
import { type Comparison, compareSeeds, renderWithKubectl } from './differential.ts'
import { smallCases } from './small-cases.ts'

const count = 100

test(`${count} overlays made at random render as kubectl kustomize renders them`, {
  timeout: 120_000,
}, async () => {
  // Another day, other overlays; the seed of a failure is in its message, and generateOverlay(seed) makes it again.
  const first = Math.floor(Date.now() / 86_400_000) * 1000
  const results: Comparison[] = []
  await compareSeeds({ first, count, kubectl: await binary('kubectl') }, (result) => results.push(result))
  expect(results.filter(({ outcome }) => outcome === 'different')).toEqual([])
  expect(results.filter(({ outcome }) => outcome === 'same').length).toBeGreaterThan(count / 10)
})

test('the answers of the small cases are those of kubectl kustomize', { timeout: 120_000 }, async () => {
  const kubectl = await binary('kubectl')
  for (const { name, files, want } of smallCases) {
    const { failed, text } = await renderWithKubectl(kubectl, files, '')
    expect({ name, answer: failed ? undefined : text }).toEqual({ name, answer: want })
  }
})
