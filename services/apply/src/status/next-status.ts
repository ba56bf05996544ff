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
    ...before,
    conditions: nextConditions(before.conditions ?? [], settlement, generation, nowMs),
    ...(attemptedRevision ? { lastAttemptedRevision: attemptedRevision } : {}),
    ...(appliedRevision ? { lastAppliedRevision: appliedRevision } : {}),
    ...(inventory === undefined ? {} : { inventory: { entries: inventory } }),
    ...(settlement.observed ? { observedGeneration: generation } : {}),
    ...(handledRequest ? { lastHandledReconcileAt: handledRequest } : {}),
    ...nextHistory(before, settlement, nowMs),
  }
}

/** The merge patch from one status to the next, or undefined when they say the same. */
export function statusPatch(
  before: KustomizationStatus | undefined,
  after: KustomizationStatus,
): Record<string, unknown> | undefined {
  const known: Record<string, unknown> = { ...before }
  const changed = Object.entries(after).filter(([field, value]) => !isDeepStrictEqual(known[field], value))
  return changed.length === 0 ? undefined : Object.fromEntries(changed)
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
