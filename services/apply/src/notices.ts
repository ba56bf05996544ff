import { findCondition } from '@setpoint/conditions'
import type { ApplyContext, Task } from './context.ts'
import { contestLine } from './prune/contests.ts'
import type { Notices } from './status/settlement.ts'
import { record } from './tell.ts'

/** What the status has to say besides how the run went; what is new is told as an event. */
export function takeNotice(context: ApplyContext, task: Task): void {
  task.notices = noticesOf(context, task)
  for (const [type, said] of Object.entries(task.notices)) {
    const before = findCondition(task.kustomization.status?.conditions, type)
    if (said === null || before?.message === said.message) continue
    task.log.warn({ reason: said.reason, notice: said.message.slice(0, 1_000) }, 'attention is needed')
    record(context, task, { severity: 'error', ...said })
  }
}

function noticesOf(context: ApplyContext, task: Task): Notices {
  const { pruneBlocked } = task.known
  const lines = contestLines(context, task)
  return {
    PruneBlocked: pruneBlocked === undefined ? null : { reason: 'ApprovalRequired', message: pruneBlocked },
    Conflict: lines.length === 0 ? null : { reason: 'DeclaredTwice', message: lines.join('\n') },
  }
}

const MAX_LINES = 50

function contestLines(context: ApplyContext, { key, known }: Task): string[] {
  const taken = [...known.contested.values()].map(({ object, holder }) => ({ object, holder, taker: key }))
  return [...taken, ...context.contests.against(key)].map(contestLine).sort().slice(0, MAX_LINES)
}
