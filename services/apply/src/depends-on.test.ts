import type { Kustomization } from '@setpoint/contracts'
import { expect, test } from 'vitest'
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
  expect(firstUnmet(app, 'r2', () => dependency)?.message).toBe(message)
})

test('only a dependency that lags behind is expected soon', () => {
  expect(firstUnmet(app, 'r2', () => base({ lastAppliedRevision: 'r1' }))?.soon).toBe(true)
  expect(firstUnmet(app, 'r2', () => undefined)?.soon).toBe(false)
})
