import { isDeepStrictEqual } from 'node:util'
import { type NewCondition, removeCondition, setCondition } from '@setpoint/conditions'
import type { Condition, Kustomization, KustomizationStatus } from '@setpoint/contracts'
import { addToHistory } from './history.ts'
import type { Notices, Settlement } from './settlement.ts'

/**
 * The status after a settlement. Pure. generation: the one that the run was about, which need not be the newest.
 * nowMs: milliseconds since the epoch.
 */
export function nextStatus(
  { status: before = {} }: Kustomization,
  settlement: Settlement,
  { generation, nowMs }: { generation: number; nowMs: number },
): KustomizationStatus {
  const { attemptedRevision, appliedRevision, inventory, handledRequest } = settlement
  return {
    ...withOrigin(before, settlement),
    conditions: nextConditions(before.conditions ?? [], settlement, generation, nowMs),
    ...(attemptedRevision ? { lastAttemptedRevision: attemptedRevision } : {}),
    ...(appliedRevision ? { lastAppliedRevision: appliedRevision } : {}),
    ...(inventory === undefined ? {} : { inventory: { entries: inventory } }),
    ...(settlement.observed ? { observedGeneration: generation } : {}),
    ...(handledRequest ? { lastHandledReconcileAt: handledRequest } : {}),
    ...nextHistory(before, settlement, nowMs),
  }
}

/** The origin moves with the applied revision, and goes when the new one has none. */
function withOrigin(
  { lastAppliedOriginRevision: before, ...status }: KustomizationStatus,
  { appliedRevision, appliedOriginRevision = '' }: Settlement,
): KustomizationStatus {
  const origin = appliedRevision ? appliedOriginRevision : (before ?? '')
  return origin === '' ? status : { ...status, lastAppliedOriginRevision: origin }
}

/** The merge patch from one status to the next, or undefined when they say the same. */
export function statusPatch(
  before: KustomizationStatus | undefined,
  after: KustomizationStatus,
): Record<string, unknown> | undefined {
  const [known, next]: Record<string, unknown>[] = [{ ...before }, { ...after }]
  const fields = new Set([...Object.keys(known ?? {}), ...Object.keys(next ?? {})])
  const changed = [...fields].filter((field) => !isDeepStrictEqual(known?.[field], next?.[field]))
  if (changed.length === 0) return undefined
  return Object.fromEntries(changed.map((field) => [field, next?.[field] ?? null]))
}

type Wish = [string, Omit<NewCondition, 'type' | 'observedGeneration'> | null | undefined]

function nextConditions(
  before: Condition[],
  settlement: Settlement,
  generation: number,
  nowMs: number,
): Condition[] {
  const { ready, reconciling, stalled, healthy, rolledBack, notices } = settlement
  const wishes: Wish[] = [
    ['Stalled', stalled && { status: 'True', ...stalled }],
    ['Reconciling', reconciling && { status: 'True', ...reconciling }],
    ['Ready', ready],
    ['Healthy', healthy],
    ['RolledBack', rolledBack && { status: 'True', ...rolledBack }],
    ...noticeWishes(notices),
  ]
  return wishes.reduce((conditions, [type, wish]) => {
    if (wish === undefined) return conditions
    if (wish === null) return removeCondition(conditions, type)
    return setCondition(conditions, { type, observedGeneration: generation, ...wish }, nowMs)
  }, before)
}

function noticeWishes(notices: Notices | undefined): Wish[] {
  if (notices === undefined) return []
  return Object.entries(notices).map(([type, said]) => [type, said && { status: 'True', ...said }])
}

function nextHistory(
  before: KustomizationStatus,
  { history, ready }: Settlement,
  nowMs: number,
): Pick<KustomizationStatus, 'history'> {
  if (history === undefined || ready === undefined) return {}
  const { digest, durationMs, revision } = history
  return {
    history: addToHistory(
      before.history ?? [],
      { digest, durationMs, revision, status: ready.reason },
      nowMs,
    ),
  }
}
