import type { Kustomization } from '@setpoint/contracts'
import { expect, test } from 'vitest'
import { awaitedKeys, cycleOf } from './dependency-cycle.ts'
import { firstUnmet } from './depends-on.ts'

const spec = { sourceRef: { kind: 'GitRepository', name: 'fleet' } }
const app = {
  metadata: { namespace: 'apps', name: 'app' },
  spec: { ...spec, dependsOn: [{ name: 'base' }] },
} as unknown as Kustomization

function base(status: object, source = 'fleet', namespace = 'apps'): Kustomization {
  return {
    metadata: { namespace, name: 'base', generation: 2 },
    spec: { sourceRef: { kind: 'GitRepository', name: source } },
    status: {
      observedGeneration: 2,
      lastAppliedRevision: 'r2',
      conditions: [{ type: 'Ready', status: 'True' }],
      ...status,
    },
  } as unknown as Kustomization
}

function check(dependency: Kustomization | undefined, additive = false) {
  return { revision: 'r2', additive, find: () => dependency }
}

test.each<[string, Kustomization | undefined, string | undefined]>([
  ['missing', undefined, "dependency 'apps/base' not found"],
  ['at an older generation', base({ observedGeneration: 1 }), "dependency 'apps/base' is not ready"],
  ['without conditions', base({ conditions: [] }), "dependency 'apps/base' is not ready"],
  [
    'not ready',
    base({ conditions: [{ type: 'Ready', status: 'False' }] }),
    "dependency 'apps/base' is not ready",
  ],
  [
    'at an older revision of the same source',
    base({ lastAppliedRevision: 'r1' }),
    "dependency 'apps/base' is not updated yet",
  ],
  ['at another revision of another source', base({ lastAppliedRevision: 'r1' }, 'infra'), undefined],
  ['ready at the same revision', base({}), undefined],
])('a dependency that is %s', (_what, dependency, message) => {
  expect(firstUnmet(app, check(dependency))?.message).toBe(message)
})

test('only a dependency that lags behind is expected soon', () => {
  expect(firstUnmet(app, check(base({ lastAppliedRevision: 'r1' })))?.soon).toBe(true)
  expect(firstUnmet(app, check(undefined))?.soon).toBe(false)
})

const asking = (readyExpr: string) =>
  ({
    metadata: { namespace: 'apps', name: 'app' },
    spec: { ...spec, dependsOn: [{ name: 'base', readyExpr }] },
  }) as unknown as Kustomization

test('a readyExpr decides in place of the usual check, or with the gate besides it', () => {
  const isReady = asking(`dep.status.lastAppliedRevision == 'r1' && self.metadata.name == 'app'`)
  const behind = base({ lastAppliedRevision: 'r1' })
  expect(firstUnmet(isReady, check(behind))).toBeUndefined()
  expect(firstUnmet(isReady, check(behind, true))?.message).toBe("dependency 'apps/base' is not updated yet")
  expect(firstUnmet(asking('false'), check(base({})))?.message).toBe(
    "dependency 'apps/base' is not ready according to readyExpr",
  )
})

test('a readyExpr without a result says why the dependency is not ready', () => {
  expect(firstUnmet(asking('dep.status.phase == "on"'), check(base({})))?.message).toContain(
    `dependency 'apps/base' is not ready: expression 'dep.status.phase == "on"': column 12: No such key: phase`,
  )
})

test('a readyExpr that is none stalls, naming the field', () => {
  expect(() => firstUnmet(asking('dependency.ok'), check(undefined))).toThrow(
    "spec.dependsOn[0].readyExpr: expression 'dependency.ok': column 1: Unknown variable: dependency",
  )
})

test.each<[string, Record<string, string[]>, string[] | undefined]>([
  ['of three', { a: ['x', 'b'], b: ['c'], c: ['a'], x: [] }, ['a', 'b', 'c', 'a']],
  ['with itself', { a: ['a'] }, ['a', 'a']],
  ['that it is no part of', { a: ['b'], b: ['c'], c: ['b'] }, undefined],
])('a cycle %s', (_what, graph, cycle) => {
  expect(cycleOf('a', (key) => graph[key] ?? [])).toEqual(cycle)
})

test('a dependency that a readyExpr alone decides about closes no cycle', () => {
  expect(awaitedKeys(asking('true'), false)).toEqual([])
  expect(awaitedKeys(asking('true'), true)).toEqual(['apps/base'])
})
