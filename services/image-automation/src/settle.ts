import { findCondition } from '@setpoint/conditions'
import {
  IMAGE_AUTOMATION_FIELD_MANAGER,
  IMAGE_GROUP,
  IMAGE_POLICY,
  IMAGE_REFLECTOR_FIELD_MANAGER,
  IMAGE_UPDATE_AUTOMATION,
  REQUESTED_AT_ANNOTATION,
} from '@setpoint/contracts'
import type { WatchedObjects } from '@setpoint/kube'
import { KubeApiError } from '@setpoint/kube'
import { jitter, type ReconcileError, type Result, Stalled } from '@setpoint/reconcile'
import type { ImageContext, ImageObject, Task } from './context.ts'
import { toFailure } from './failure.ts'
import { type CommonStatus, nextStatus, type Settlement, statusPatch } from './status.ts'

const MAX_CONFLICTS = 5
const MIN_BACKOFF_MS = 750
const MAX_BACKOFF_MS = 15 * 60_000

/** The object is gone, or another one has its place now: there is nothing left to write a status to. */
export class ObjectGone extends Error {
  override name = 'ObjectGone'
}

/**
 * The one place that writes a status: a single merge patch, and only when it says something new.
 * mayBeOld: fields whose change alone is not worth a write, such as times.
 */
export async function settle<T extends ImageObject>(
  context: ImageContext,
  task: Task<T>,
  settlement: Settlement,
  mayBeOld: readonly string[] = [],
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { object, generation } = task
    const requestedAt = object.metadata.annotations?.[REQUESTED_AT_ANNOTATION]
    const before: CommonStatus = object.status ?? {}
    const after = nextStatus(before, settlement, { generation, requestedAt, nowMs: context.now() })
    const patch = statusPatch(before, after)
    if (patch === undefined || Object.keys(patch).every((name) => mayBeOld.includes(name))) return
    try {
      await write(context, task, patch)
      return
    } catch (error) {
      if (!(error instanceof KubeApiError) || attempt === MAX_CONFLICTS) throw error
      if (error.code !== 404 && error.code !== 409) throw error
      await readLive(context, task)
    }
  }
}

/**
 * Says in status and event why a run did not work, and when to try again.
 * @throws what is no fault of the object (the API server is away, a bug): the queue backs off.
 */
export async function settleFailure<T extends ImageObject>(
  context: ImageContext,
  task: Task<T>,
  error: unknown,
  intervalMs: number,
): Promise<Result> {
  if (error instanceof ObjectGone) return undefined
  const failure = toFailure(error)
  if (failure === undefined) throw error
  context.metrics.failed(task.object.kind)
  const { reason, message } = failure
  task.log.warn({ reason, message }, 'reconciliation failed')
  const before = task.object
  const outcome = failure instanceof Stalled ? 'stalled' : 'failed'
  await settle(context, task, { outcome, reason, message })
  tellFailure(context, task, before, failure)
  if (failure instanceof Stalled) return undefined
  return { requeueAfterMs: failure.retryAfterMs ?? backoffMs(task.attempt, intervalMs), priority: 'normal' }
}

/** The same failure again is no news. */
function tellFailure<T extends ImageObject>(
  context: ImageContext,
  task: Task<T>,
  before: T,
  { reason, message }: ReconcileError,
): void {
  const ready = findCondition(before.status?.conditions, 'Ready')
  if (ready?.status === 'False' && ready.reason === reason && ready.message === message) return
  context.events.record(task.object, { severity: 'error', reason, message, traceId: task.traceId })
}

async function write<T extends ImageObject>(
  context: ImageContext,
  task: Task<T>,
  status: Record<string, unknown>,
): Promise<void> {
  const { metadata, kind } = task.object
  const patch = { metadata: { resourceVersion: metadata.resourceVersion }, status }
  const options = { fieldManager: fieldManagerOf(kind), subresource: 'status' } as const
  task.object = watchedOf(context, task).wrote(
    await context.kube.mergePatch(gvkOf(kind), metadata, patch, options),
  )
}

async function readLive<T extends ImageObject>(context: ImageContext, task: Task<T>): Promise<void> {
  const { metadata, kind } = task.object
  const live = await context.kube.get(gvkOf(kind), metadata)
  if (live === undefined || live.metadata.uid !== metadata.uid)
    throw new ObjectGone(`${kind} ${task.key} is gone`)
  if (kind === IMAGE_POLICY.kind && live.metadata.generation !== task.generation)
    throw new ObjectGone(`${kind} ${task.key} has another spec now, and maybe another owner`)
  task.object = watchedOf(context, task).wrote(live)
}

function watchedOf<T extends ImageObject>(context: ImageContext, { object }: Task<T>): WatchedObjects<T> {
  const { repositories, policies, automations } = context
  const byKind = { ImageRepository: repositories, ImagePolicy: policies, ImageUpdateAutomation: automations }
  return byKind[object.kind as keyof typeof byKind] as unknown as WatchedObjects<T>
}

export function gvkOf(kind: string) {
  return { group: IMAGE_GROUP, version: 'v1', kind }
}

export function fieldManagerOf(kind: string): string {
  return kind === IMAGE_UPDATE_AUTOMATION.kind
    ? IMAGE_AUTOMATION_FIELD_MANAGER
    : IMAGE_REFLECTOR_FIELD_MANAGER
}

/** As Flux, but never longer than the interval: what is back is noticed in time. */
function backoffMs(attempt: number, intervalMs: number): number {
  const full = Math.min(MIN_BACKOFF_MS * 2 ** Math.min(attempt - 1, 20), MAX_BACKOFF_MS)
  return jitter(Math.min(full, Math.max(intervalMs, MIN_BACKOFF_MS)))
}
