import { expect, test } from 'vitest'
import {
  type PruneCandidate,
  type PruneStep,
  pruneBlockedMessage,
  pruneProblem,
  tokenToApprove,
} from './prune-guard.ts'

const candidate = (kind: string, more: Partial<PruneCandidate> = {}): PruneCandidate => ({
  name: `${kind}/a`,
  group: kind === 'CustomResourceDefinition' ? 'apiextensions.k8s.io' : '',
  kind,
  carries: [],
  ...more,
})
const step = (kinds: PruneCandidate[], more: Partial<PruneStep> = {}): PruneStep => ({
  candidates: kinds,
  inventorySize: 10,
  emptied: false,
  firstSync: false,
  budget: undefined,
  ...more,
})
const maps = (count: number) => Array.from({ length: count }, () => candidate('ConfigMap'))

test.each<[string, PruneStep, string | undefined]>([
  ['ordinary objects', step(maps(9)), undefined],
  ['nothing at all', step([], { emptied: true }), undefined],
  ['a Namespace', step([candidate('Namespace')]), 'among them [Namespace/a]'],
  ['a definition', step([candidate('CustomResourceDefinition')]), 'among them [CustomResourceDefinition/a]'],
  ['a volume claim', step([candidate('PersistentVolumeClaim')]), 'among them [PersistentVolumeClaim/a]'],
  ['a Namespace during the first sync', step([candidate('Namespace')], { firstSync: true }), undefined],
  ['another Namespace kind', step([candidate('Namespace', { group: 'example.com' })]), undefined],
  ['everything', step(maps(10), { emptied: true }), 'the new set is empty'],
  [
    'a Kustomization that takes a Namespace along',
    step([candidate('Kustomization', { carries: [candidate('Namespace')] })]),
    'among them [Namespace/a]',
  ],
  ['a budget that suffices', step(maps(2), { budget: { objects: 2 } }), undefined],
  [
    'a budget that does not',
    step(maps(3), { budget: { objects: 2 } }),
    'the setpoint.dev/prune-budget allows 2',
  ],
  ['a percentage that suffices', step(maps(3), { budget: { percent: 30 } }), undefined],
  [
    'a percentage that does not',
    step(maps(4), { budget: { percent: 39 } }),
    'the setpoint.dev/prune-budget allows 3',
  ],
  [
    'a budget with a Namespace',
    step([candidate('Namespace')], { budget: { objects: 5 } }),
    'among them [Namespace/a]',
  ],
  ['100%', step([candidate('Namespace')], { emptied: true, budget: { percent: 100 } }), undefined],
])('pruning %s', (_what, pruneStep, problem) => {
  expect(pruneProblem(pruneStep)).toBe(problem)
})

test('the message lists what would go and carries the token that approves it', () => {
  const message = pruneBlockedMessage(step([candidate('Namespace')]), 'among them [Namespace/a]', 'abc123')
  expect(message).toContain('1 of 10 objects are no longer declared and would be deleted')
  expect(tokenToApprove(message)).toBe('abc123')
})
