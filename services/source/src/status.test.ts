import type { Artifact, GitRepository } from '@setpoint/contracts'
import { describe, expect, test } from 'vitest'
import { nextStatus, type Settlement, statusPatch } from './status.ts'

const at = { generation: 3, requestedAt: undefined, nowMs: Date.UTC(2026, 0, 2) }
const artifact: Artifact = {
  digest: 'sha256:0',
  lastUpdateTime: '2026-01-02T00:00:00Z',
  path: 'gitrepository/a/b/c.tar.gz',
  revision: 'main@sha1:c',
  url: 'http://x/gitrepository/a/b/c.tar.gz',
}
const ready: Settlement = { outcome: 'ready', artifact, made: { observed: {}, verified: undefined } }
const failed: Settlement = {
  outcome: 'failed',
  condition: 'FetchFailed',
  reason: 'GitOperationFailed',
  message: 'no branch',
}
const stalled: Settlement = { outcome: 'stalled', reason: 'URLInvalid', message: 'no URL' }

function repository(...settlements: Settlement[]): GitRepository {
  const object: GitRepository = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'b', namespace: 'a' },
    spec: { url: 'http://x', interval: '1m' },
    status: { observedGeneration: -1 },
  }
  for (const settlement of settlements) object.status = nextStatus(object, settlement, at)
  return object
}

const types = ({ status }: GitRepository) =>
  status?.conditions?.map(({ type, status: is }) => `${type}=${is}`)

describe('conditions', () => {
  test('of a success', () =>
    expect(types(repository(ready))).toEqual(['Ready=True', 'ArtifactInStorage=True']))
  test('of a failure without an artifact', () =>
    expect(types(repository(failed))).toEqual(['Reconciling=True', 'Ready=False', 'FetchFailed=True']))
  test('of a failure after a success: the artifact stays', () =>
    expect(types(repository(ready, failed))).toEqual([
      'Reconciling=True',
      'Ready=False',
      'ArtifactInStorage=True',
      'FetchFailed=True',
    ]))
  test('of a stall: Reconciling and Stalled are never there together', () =>
    expect(types(repository(failed, stalled))).toEqual(['Stalled=True', 'Ready=False']))
  test('of another kind of failure: the first one is gone', () => {
    const storage: Settlement = { ...failed, condition: 'StorageOperationFailed' }
    expect(types(repository(failed, storage))).toContain('StorageOperationFailed=True')
    expect(types(repository(failed, storage))).not.toContain('FetchFailed=True')
  })
  test('of a suspended repository stay as they are', () =>
    expect(repository(ready, { outcome: 'suspended' }).status).toEqual(repository(ready).status))
})

describe('observedGeneration', () => {
  test.each([
    ['a success', ready, 3],
    ['a stall', stalled, 3],
    ['a suspended repository', { outcome: 'suspended' } as const, 3],
    ['a failure', failed, -1],
  ])('after %s', (_situation, settlement, expected) =>
    expect(repository(settlement).status?.observedGeneration).toBe(expected),
  )
})

describe('the patch', () => {
  test('is nothing when nothing has changed', () => {
    const before = repository(ready)
    expect(
      statusPatch(before.status, nextStatus(before, ready, { ...at, nowMs: at.nowMs + 60_000 })),
    ).toBeUndefined()
  })
  test('takes observedIgnore away when spec.ignore is gone', () => {
    const before = repository({
      ...ready,
      made: { observed: { observedIgnore: '*.md' }, verified: undefined },
    })
    expect(before.status?.observedIgnore).toBe('*.md')
    expect(statusPatch(before.status, nextStatus(before, ready, at))).toEqual({ observedIgnore: null })
  })
  test('acknowledges a request', () => {
    const before = repository(ready)
    const after = nextStatus(before, ready, { ...at, requestedAt: 'now' })
    expect(statusPatch(before.status, after)).toEqual({ lastHandledReconcileAt: 'now' })
  })
})
