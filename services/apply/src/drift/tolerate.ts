import type { Check } from '../apply/check-target.ts'
import type { Target } from '../apply/target.ts'
import type { Task } from '../context.ts'
import { inventoryOf } from '../inventory.ts'
import { type DriftReport, reportOf, reportOfDeleted, reportOfImmutable } from './drift-report.ts'

/**
 * In the modes warn and ignore: the same check, but what is not as in Git because somebody else made it so is left as it is.
 * What Git itself changed is applied.
 */
export function tolerate(task: Task, check: Check): Check {
  if (task.enforces) return check
  const { target } = check
  if (check.action === 'configure') {
    const report = reportOf(target, check.live, check.answer)
    return isDrift(task, target, report) ? { target, action: 'tolerate', live: check.live, report } : check
  }
  if (check.action === 'recreate' && wasApplied(task, target) === true)
    return { target, action: 'tolerate', live: check.live, report: reportOfImmutable(target) }
  if (check.action === 'create' && wasApplied(task, target) === true)
    return { target, action: 'tolerate', live: undefined, report: reportOfDeleted(target) }
  return check
}

function isDrift(task: Task, target: Target, { fields = [] }: DriftReport): boolean {
  const before = wasApplied(task, target)
  if (before !== undefined) return before
  // After a restart, with another set: what we alone own has changed in Git; what another has set is drift.
  const wasOurs = inventoryOf(task.kustomization).some(({ id }) => id === target.id)
  return wasOurs && fields.length > 0 && fields.every(({ manager }) => manager !== undefined)
}

/** The object was applied just as it is wanted now; undefined when that is not known. */
function wasApplied({ known, settledBefore }: Task, { id, hash }: Target): boolean | undefined {
  const applied = known.tolerated.get(id)?.hash ?? known.objects.get(id)?.hash
  if (applied !== undefined) return applied === hash
  return settledBefore ? true : undefined
}
