import { expect, test } from 'vitest'
import { isCreateOnly, isForced, isKept, isLeftAlone, isMerged } from './switches.ts'

const labelled = (name: string, value: string) => ({
  metadata: { name: 'a', labels: { [`kustomize.toolkit.fluxcd.io/${name}`]: value } },
})
const annotated = (name: string, value: string) => ({
  metadata: { name: 'a', annotations: { [`kustomize.toolkit.fluxcd.io/${name}`]: value } },
})
const plain = { metadata: { name: 'a' } }

test.each([
  ['reconcile: disabled', labelled('reconcile', 'disabled')],
  ['reconcile: Disabled, as an annotation', annotated('reconcile', 'Disabled')],
  ['ssa: Ignore', annotated('ssa', 'Ignore')],
])('%s leaves an object alone, whoever says it', (_what, switched) => {
  expect(isLeftAlone(switched, plain)).toBe(true)
  expect(isLeftAlone(plain, switched)).toBe(true)
  expect(isKept(switched)).toBe(true)
})

test('other switches and values do not', () => {
  expect(isLeftAlone(labelled('reconcile', 'enabled'), plain)).toBe(false)
  expect(isLeftAlone(labelled('ssa', 'Override'), undefined)).toBe(false)
  expect(isKept(labelled('ssa', 'IfNotPresent'))).toBe(false)
})

test('each switch has its own effect', () => {
  expect(isCreateOnly(annotated('ssa', 'IfNotPresent'), plain)).toBe(true)
  expect(isMerged(plain, labelled('ssa', 'merge'))).toBe(true)
  expect(isForced(labelled('force', 'Enabled'), plain)).toBe(true)
  expect(isKept(labelled('prune', 'disabled'))).toBe(true)
})
