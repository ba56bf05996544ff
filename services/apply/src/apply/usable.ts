import { describeRef, gvkOf, type KubeObject } from '@setpoint/manifest'
import { ReconcileError } from '@setpoint/reconcile'
import type { ApplyContext, Task } from '../context.ts'
import type { Target } from './target.ts'
import { type Change, pause } from './write-target.ts'

const STAGE_TIMEOUT_MS = 60_000

/**
 * Waits until what a stage has written can be used by the next one: definitions are established, namespaces active.
 * Short by nature, so the run waits for it. @throws ReconcileError after a minute.
 */
export async function untilUsable(
  context: ApplyContext,
  task: Task,
  changes: readonly Change[],
): Promise<void> {
  const written = changes.filter(({ action }) => action === 'created' || action === 'configured')
  for (const change of written) if (needsTime(change)) await untilOneUsable(context, task, change)
  if (written.some(({ target }) => target.ref.kind === 'CustomResourceDefinition'))
    context.kube.invalidateDiscovery()
}

function needsTime({ target }: Change): boolean {
  return target.ref.kind === 'CustomResourceDefinition' || target.ref.kind === 'Namespace'
}

async function untilOneUsable(context: ApplyContext, task: Task, { target }: Change): Promise<void> {
  const deadline = context.now() + STAGE_TIMEOUT_MS
  for (let pauseMs = 10; context.now() < deadline; pauseMs = Math.min(pauseMs * 2, 1_000)) {
    const live = await context.kube.get(gvkOf(target.object), target.ref, { signal: task.signal })
    if (live !== undefined && isUsable(live)) return
    if (live?.metadata.deletionTimestamp !== undefined) throw goingError(target)
    await pause(pauseMs, task)
  }
  throw new ReconcileError(
    'ReconciliationFailed',
    `${describeRef(target.ref)} is not usable after ${STAGE_TIMEOUT_MS / 1000} s; what follows it was not applied`,
  )
}

function goingError({ ref }: Target): ReconcileError {
  return new ReconcileError(
    'ReconciliationFailed',
    `${describeRef(ref)} is being deleted; what follows it was not applied. Look at what keeps it: its finalizers, and what is left in it`,
  )
}

interface WithStatus {
  phase?: string
  conditions?: { type: string; status: string }[]
}

function isUsable(live: KubeObject): boolean {
  const status = (live.status ?? {}) as WithStatus
  if (live.kind === 'Namespace') return status.phase === 'Active'
  return (status.conditions ?? []).some(
    ({ type, status: value }) => type === 'Established' && value === 'True',
  )
}
