import { findCondition } from '@setpoint/conditions'
import { APPLY_FIELD_MANAGER } from '@setpoint/contracts'
import type { ApplyContext, Task } from './context.ts'
import { driftLine } from './drift/drift-report.ts'
import { type Fight, isFight } from './drift/fights.ts'
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
    Drifted: driftOf(context, task),
    Conflict: lines.length === 0 ? null : { reason: 'DeclaredTwice', message: lines.join('\n') },
  }
}

const MAX_LINES = 50

/** What is not as in Git, and why it stays so for now. */
function driftOf(context: ApplyContext, { known, wishes }: Task): { reason: string; message: string } | null {
  const tolerated = wishes.drift === 'warn' ? [...known.tolerated.values()] : []
  const fights = [...known.fights.values()].filter((fight) => isFight(fight, context.now()))
  const parts = [
    ...(tolerated.length === 0 ? [] : [TOLERATED, ...tolerated.map(driftLine).sort().slice(0, MAX_LINES)]),
    ...fights.map(fightLine).sort().slice(0, MAX_LINES),
  ]
  if (parts.length === 0) return null
  return { reason: tolerated.length > 0 ? 'DriftDetected' : 'FieldsContested', message: parts.join('\n') }
}

const TOLERATED =
  'differs from Git, and is left so until somebody reconciles or the annotation setpoint.dev/drift goes:'

function fightLine({ report }: Fight): string {
  const managers = new Set(
    report.fields?.map(({ manager }) => manager ?? 'unknown') ?? ['somebody who deletes it'],
  )
  return `${driftLine(report)}; ${APPLY_FIELD_MANAGER} and ${[...managers].join(', ')} keep undoing each other, so it is healed at growing intervals; take the fields out of Git, or list them in spec.ignore`
}

function contestLines(context: ApplyContext, { key, known }: Task): string[] {
  const taken = [...known.contested.values()].map(({ object, holder }) => ({ object, holder, taker: key }))
  return [...taken, ...context.contests.against(key)].map(contestLine).sort().slice(0, MAX_LINES)
}
