import { newTraceId } from '@setpoint/bus'
import { formatDuration } from '@setpoint/contracts'
import { describeRef } from '@setpoint/manifest'
import type { Change } from './apply/write-target.ts'
import type { ApplyContext, Task } from './context.ts'
import type { Pruned } from './prune/prune.ts'

/** A changeset line for each object that changed, in the words of Flux. */
export function changesetOf(changes: readonly Change[], pruned: Pruned): string {
  const written = changes
    .filter(({ action }) => action === 'created' || action === 'configured')
    .map(({ target, action }) => `${describeRef(target.ref)} ${action}`)
  return [...written, ...pruned.deleted.map(({ ref }) => `${describeRef(ref)} deleted`)].join('\n')
}

/** Objects of the set were changed: one event with a line for each. */
export function tellChanges(context: ApplyContext, task: Task, changeset: string): void {
  if (changeset === '') return
  recordStep(context, task, 'apply.apply')
  task.log.info({ changes: changeset.split('\n').slice(0, 50) }, 'server-side apply completed')
  record(context, task, { severity: 'info', reason: 'Progressing', message: changeset })
}

/** The run ended well. Goes to the bus only when nothing has changed, so that a commit costs no Event for each Kustomization. */
export function tellFinished(
  context: ApplyContext,
  task: Task,
  { nextRunMs, busOnly }: { nextRunMs: number; busOnly: boolean },
): void {
  const took = formatDuration(Math.round(context.now() - task.startedAt))
  record(context, task, {
    severity: 'info',
    reason: 'ReconciliationSucceeded',
    message: `Reconciliation finished in ${took}, next run in ${formatDuration(nextRunMs)}`,
    metadata: { commit_status: 'update' },
    busOnly,
  })
}

/** Once for each failure: a retry that ends the same way tells nothing new. True when it was told. */
export function tellFailure(
  context: ApplyContext,
  task: Task,
  { reason, message, severity = 'error' }: { reason: string; message: string; severity?: 'error' | 'info' },
): boolean {
  const failure = `${reason}\n${message}\n${task.rendering?.message.revision ?? ''}`
  if (task.known.toldFailure === failure) return false
  task.known.toldFailure = failure
  recordStep(context, task, 'apply.reconcile', severity === 'error' ? `${reason}: ${message}` : undefined)
  if (severity === 'error') task.log.error({ reason, error: message }, 'reconciliation failed')
  else task.log.info({ reason, message }, 'reconciliation waits')
  record(context, task, { severity, reason, message })
  return true
}

/** A step of a commit's way that this run has ended, for the collector of traces. */
export function recordStep(
  { tracing, now }: ApplyContext,
  { key, startedAt, rendering }: Task,
  name: string,
  problem?: string,
): void {
  if (rendering === undefined) return
  tracing.record({
    name,
    traceId: rendering.traceId,
    startMs: startedAt,
    endMs: now(),
    attributes: { kustomization: key, revision: rendering.message.revision },
    ...(problem === undefined ? {} : { problem }),
  })
}

export function record(
  context: ApplyContext,
  task: Task,
  event: {
    severity: 'info' | 'error'
    reason: string
    message: string
    metadata?: Record<string, string>
    busOnly?: boolean
  },
): void {
  const revision = task.rendering?.message.revision ?? task.kustomization.status?.lastAppliedRevision ?? ''
  const originRevision = task.rendering?.message.originRevision ?? ''
  const metadata = {
    ...(revision === '' ? {} : { revision }),
    ...(originRevision === '' ? {} : { originRevision }),
    ...event.metadata,
  }
  context.events.record(task.kustomization, {
    ...event,
    metadata,
    traceId: task.rendering?.traceId ?? newTraceId(),
  })
}
