import type { Kustomization, KustomizationStatus } from '@setpoint/contracts'
import { expect, test } from 'vitest'
import { nextStatus, statusPatch } from './next-status.ts'
import { awaitingHealth, failed, progressing, type Settlement, stalled, succeeded } from './settlement.ts'

const nowMs = Date.parse('2026-01-01T00:00:00Z')

function after(
  settlement: Settlement,
  before: KustomizationStatus = { observedGeneration: -1 },
): KustomizationStatus {
  const kustomization = { metadata: { name: 'a', generation: 9 }, status: before } as Kustomization
  return nextStatus(kustomization, settlement, { generation: 2, nowMs })
}

const shortly = ({ conditions }: KustomizationStatus) =>
  conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`)

test('work that has begun is Reconciling, and Ready is unknown', () => {
  const status = after(progressing())
  expect(shortly(status)).toEqual(['Reconciling=True Progressing', 'Ready=Unknown Progressing'])
  expect(status.observedGeneration).toBe(-1)
})

test('a success takes Reconciling away and moves revision, generation and request', () => {
  const status = after(succeeded('r1', 'asked'), after(progressing()))
  expect(shortly(status)).toEqual(['Ready=True ReconciliationSucceeded'])
  expect(status).toMatchObject({
    observedGeneration: 2,
    lastAppliedRevision: 'r1',
    lastAttemptedRevision: 'r1',
    lastHandledReconcileAt: 'asked',
  })
})

test('a failure keeps what was applied, and is Reconciling with a retry', () => {
  const status = after(failed('BuildFailed', 'no', 'asked'), after(succeeded('r1', '')))
  expect(shortly(status)).toEqual(['Reconciling=True ProgressingWithRetry', 'Ready=False BuildFailed'])
  expect(status).toMatchObject({
    lastAppliedRevision: 'r1',
    observedGeneration: 2,
    lastHandledReconcileAt: 'asked',
  })
})

test('a stall is Stalled, never Reconciling, and the generation is dealt with', () => {
  const status = after(stalled('NotImplemented', 'no', ''), after(failed('BuildFailed', 'no', '')))
  expect(shortly(status)).toEqual(['Stalled=True NotImplemented', 'Ready=False NotImplemented'])
  expect(status.observedGeneration).toBe(2)
})

test('awaited health shows in three conditions', () => {
  expect(shortly(after(awaitingHealth('r1', '30s')))).toEqual([
    'Reconciling=True Progressing',
    'Ready=Unknown Progressing',
    'Healthy=Unknown Progressing',
  ])
})

test('the same settlement again leaves nothing to write', () => {
  const status = after(succeeded('r1', ''))
  expect(statusPatch(status, after(succeeded('r1', ''), status))).toBeUndefined()
})

test('a patch holds only the fields that changed', () => {
  const status = after(succeeded('r1', ''))
  const patch = statusPatch(status, after({ inventory: [{ id: 'a_b__C', v: 'v1' }] }, status))
  expect(patch).toEqual({ inventory: { entries: [{ id: 'a_b__C', v: 'v1' }] } })
})

test('the history keeps five rows, one for each digest and result', () => {
  const reconciled = (digest: string, before?: KustomizationStatus) =>
    after({ ...succeeded('r', ''), history: { digest, durationMs: 1_500, revision: 'r' } }, before)
  let status = reconciled('d0')
  for (const digest of ['d1', 'd2', 'd3', 'd4', 'd5', 'd3']) status = reconciled(digest, status)
  expect(status.history?.map((row) => [row.digest, row.totalReconciliations])).toEqual([
    ['d3', 2],
    ['d5', 1],
    ['d4', 1],
    ['d2', 1],
    ['d1', 1],
  ])
  expect(status.history?.[0]).toMatchObject({
    lastReconciled: '2026-01-01T00:00:00Z',
    lastReconciledDuration: '1.5s',
    lastReconciledStatus: 'ReconciliationSucceeded',
    metadata: { revision: 'r' },
  })
})
