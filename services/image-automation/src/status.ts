import { isDeepStrictEqual } from 'node:util'
import { removeCondition, setCondition } from '@setpoint/conditions'
import type { Condition } from '@setpoint/contracts'

/** The part of a status that all three kinds have. */
export interface CommonStatus {
  conditions?: Condition[]
  observedGeneration?: number
  lastHandledReconcileAt?: string
}

/** How a run ended, as the status shall say it. `fields` are those of the kind; undefined removes one. */
export type Settlement =
  | { outcome: 'ready'; message: string; fields: Record<string, unknown> }
  | { outcome: 'failed' | 'stalled'; reason: string; message: string; fields?: Record<string, unknown> }
  | { outcome: 'suspended' }

/** The status after a settlement. Pure. nowMs: milliseconds since the epoch. */
export function nextStatus(
  before: CommonStatus,
  settlement: Settlement,
  about: { generation: number; requestedAt: string | undefined; nowMs: number },
): CommonStatus {
  const { generation, requestedAt } = about
  return {
    ...before,
    ...('fields' in settlement ? settlement.fields : {}),
    ...(settlement.outcome === 'failed' ? {} : { observedGeneration: generation }),
    ...(requestedAt === undefined || requestedAt === '' ? {} : { lastHandledReconcileAt: requestedAt }),
    ...(settlement.outcome === 'suspended' ? {} : { conditions: nextConditions(before, settlement, about) }),
  }
}

/** The merge patch from one status to the next, or undefined when they say the same. */
export function statusPatch(
  before: CommonStatus | undefined,
  after: CommonStatus,
): Record<string, unknown> | undefined {
  const [old, next]: Record<string, unknown>[] = [{ ...before }, { ...after }]
  const names = new Set([...Object.keys(old ?? {}), ...Object.keys(next ?? {})])
  const changed = [...names].filter((name) => !isDeepStrictEqual(old?.[name], next?.[name]))
  if (changed.length === 0) return undefined
  return Object.fromEntries(changed.map((name) => [name, replacing(old?.[name], next?.[name])]))
}

/** In a merge patch, what is not named stays: keys that are gone must be said. */
function replacing(before: unknown, after: unknown): unknown {
  if (!isPlainObject(before) || !isPlainObject(after)) return after ?? null
  const gone = Object.keys(before).filter((name) => after[name] === undefined)
  const merged = Object.entries(after).map(([name, value]) => [name, replacing(before[name], value)])
  return { ...Object.fromEntries(merged), ...Object.fromEntries(gone.map((name) => [name, null])) }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nextConditions(
  before: CommonStatus,
  settlement: Exclude<Settlement, { outcome: 'suspended' }>,
  { generation, nowMs }: { generation: number; nowMs: number },
): Condition[] {
  const wishes = wishesOf(settlement)
  const kept = ['Stalled', 'Reconciling']
    .filter((type) => !wishes.some((wish) => wish.type === type))
    .reduce<Condition[]>(removeCondition, before.conditions ?? [])
  return wishes.reduce(
    (all, wish) => setCondition(all, { ...wish, observedGeneration: generation }, nowMs),
    kept,
  )
}

function wishesOf(settlement: Exclude<Settlement, { outcome: 'suspended' }>) {
  const { message } = settlement
  if (settlement.outcome === 'ready')
    return [{ type: 'Ready', status: 'True', reason: 'Succeeded', message } as const]
  const { reason } = settlement
  const ready = { type: 'Ready', status: 'False', reason, message } as const
  if (settlement.outcome === 'stalled')
    return [{ type: 'Stalled', status: 'True', reason, message } as const, ready]
  return [{ type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry', message } as const, ready]
}
