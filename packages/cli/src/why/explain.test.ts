import type { Kustomization, KustomizationStatus } from '@setpoint/contracts'
import type { KubeObject } from '@setpoint/manifest'
import { describe, expect, test } from 'vitest'
import { explain, type Step } from './explain.ts'
import type { Facts } from './facts.ts'

const SHA = 'a'.repeat(40)
const OLD = 'b'.repeat(40)
const revision = `main@sha1:${SHA}`
const now = '2026-01-01T00:00:10Z'

const condition = (type: string, status: string, reason: string, message: string) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: now,
})

function kustomization(status: object, spec: object = {}): Kustomization {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'apps', namespace: 'prod' },
    spec: { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'fleet' }, ...spec },
    status: status as KustomizationStatus,
  }
}

function repository(held: string, conditions: object[] = [], spec: object = {}): KubeObject {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', namespace: 'prod' },
    spec: { url: 'https://git.example.com/fleet', interval: '1m', ...spec },
    status: {
      conditions,
      ...(held === '' ? {} : { artifact: { revision: held, lastUpdateTime: '2026-01-01T00:00:00Z' } }),
    },
  }
}

const applied = {
  lastAppliedRevision: revision,
  lastAttemptedRevision: revision,
  conditions: [condition('Ready', 'True', 'ReconciliationSucceeded', `Applied revision: ${revision}`)],
  history: [
    {
      digest: 'd',
      lastReconciled: now,
      lastReconciledStatus: 'ReconciliationSucceeded',
      metadata: { revision },
    },
    {
      digest: 'c',
      lastReconciledStatus: 'ReconciliationSucceeded',
      metadata: { revision: `main@sha1:${OLD}` },
    },
  ],
}
const behind = { lastAppliedRevision: `main@sha1:${OLD}`, lastAttemptedRevision: revision }

test('a commit that is applied is live, with its times', () => {
  const { live, steps } = explain({ kustomization: kustomization(applied), source: repository(revision) })
  expect(live).toBe(true)
  expect(steps.map(({ step, state, time }) => [step, state, time])).toEqual([
    ['source', 'done', '2026-01-01T00:00:00Z'],
    ['render', 'done', undefined],
    ['apply', 'done', now],
    ['health', 'done', undefined],
  ])
})

describe.each<[situation: string, facts: Facts, held: Partial<Step>]>([
  [
    'no source',
    { kustomization: kustomization({}) },
    { step: 'source', state: 'failed', detail: 'GitRepository prod/fleet does not exist' },
  ],
  [
    'a source that cannot fetch',
    {
      kustomization: kustomization({}),
      source: repository('', [condition('Ready', 'False', 'AuthenticationFailed', 'wrong password')]),
    },
    { step: 'source', state: 'failed', detail: 'AuthenticationFailed: wrong password' },
  ],
  [
    'a commit that is not fetched yet',
    { kustomization: kustomization(applied), source: repository(revision), commit: 'cccc' },
    { step: 'source', state: 'waiting', advice: expect.stringContaining('is it pushed?') },
  ],
  [
    'a commit that a newer one has replaced',
    { kustomization: kustomization(applied), source: repository(revision), commit: OLD },
    { step: 'source', state: 'failed', detail: expect.stringContaining('has replaced it') },
  ],
  [
    'a build that fails',
    {
      kustomization: kustomization({
        ...behind,
        conditions: [condition('Ready', 'False', 'BuildFailed', 'a.yaml:3: not YAML')],
      }),
      source: repository(revision),
    },
    { step: 'render', state: 'failed', detail: 'BuildFailed: a.yaml:3: not YAML' },
  ],
  [
    'a dependency that is not ready',
    {
      kustomization: kustomization({
        ...behind,
        conditions: [condition('Ready', 'False', 'DependencyNotReady', "dependency 'prod/db' is not ready")],
      }),
      source: repository(revision),
    },
    { step: 'apply', state: 'waiting', detail: "dependency 'prod/db' is not ready" },
  ],
  [
    'a suspended Kustomization',
    { kustomization: kustomization(behind, { suspend: true }), source: repository(revision) },
    { step: 'apply', state: 'waiting', advice: 'setpoint resume kustomization apps -n prod' },
  ],
  [
    'a rollback',
    {
      kustomization: kustomization({
        ...applied,
        conditions: [condition('RolledBack', 'True', 'Rollback', 'held at x instead of y')],
      }),
      source: repository(revision),
    },
    { step: 'apply', state: 'waiting', detail: 'held at x instead of y' },
  ],
  [
    'an object that Git does not hold',
    { kustomization: kustomization(applied), source: repository(revision), inInventory: false },
    { step: 'apply', state: 'failed' },
  ],
  [
    'health checks that go on',
    {
      kustomization: kustomization({
        ...behind,
        conditions: [condition('Healthy', 'Unknown', 'Progressing', 'Running health checks')],
      }),
      source: repository(revision),
    },
    { step: 'health', state: 'waiting', detail: 'Running health checks' },
  ],
])('%s', (_situation, facts, held) => {
  test('is the step that holds it, and the later ones are unknown', () => {
    const { live, steps } = explain(facts)
    expect(live).toBe(false)
    const index = steps.findIndex(({ state }) => state !== 'done')
    expect(steps[index]).toMatchObject(held)
    expect(steps.slice(index + 1).every(({ state }) => state === 'unknown')).toBe(true)
  })
})
