import type { Condition } from '@setpoint/contracts'

/** A condition as it should be; its lastTransitionTime follows from what was there. */
export type NewCondition = Omit<Condition, 'lastTransitionTime'>

/** The longest message that the API server takes. */
export const MAX_CONDITION_MESSAGE = 32_768

/** The condition of a type, or undefined. */
export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type)
}

/** True when the condition is there and says True. */
export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True'
}

/**
 * The conditions with one set, in Flux's order: Stalled, Reconciling, Ready, then the others by name.
 * lastTransitionTime (UTC, seconds) moves when status, reason or message changed; a message that is too long is cut.
 * nowMs: milliseconds since the epoch.
 */
export function setCondition(
  conditions: readonly Condition[],
  next: NewCondition,
  nowMs: number,
): Condition[] {
  const message = cut(next.message)
  const before = findCondition(conditions, next.type)
  const same = before?.status === next.status && before.reason === next.reason && before.message === message
  const lastTransitionTime = same ? before.lastTransitionTime : timestamp(nowMs)
  return [...removeCondition(conditions, next.type), { ...next, message, lastTransitionTime }].sort(byOrder)
}

/** The conditions without one. */
export function removeCondition(conditions: readonly Condition[], type: string): Condition[] {
  return conditions.filter((condition) => condition.type !== type)
}

/** Time as Kubernetes writes it: RFC 3339, UTC, whole seconds. */
export function timestamp(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z')
}

const FIRST = ['Stalled', 'Reconciling', 'Ready']

function byOrder(a: Condition, b: Condition): number {
  return rank(a) - rank(b) || (a.type < b.type ? -1 : a.type > b.type ? 1 : 0)
}

function rank(condition: Condition): number {
  const index = FIRST.indexOf(condition.type)
  return index < 0 ? FIRST.length : index
}

function cut(message: string): string {
  return message.length <= MAX_CONDITION_MESSAGE
    ? message
    : `${message.slice(0, MAX_CONDITION_MESSAGE - 3)}...`
}
