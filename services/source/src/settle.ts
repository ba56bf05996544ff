import { findCondition } from '@setpoint/conditions'
import {
  parseInterval,
  REQUESTED_AT_ANNOTATION,
  SOURCE_FIELD_MANAGER,
  type SourceObject,
} from '@setpoint/contracts'
import { KubeApiError } from '@setpoint/kube'
import { jitter, type Result, RunTooLong, Stalled } from '@setpoint/reconcile'
import type { SourceContext, Task } from './context.ts'
import { toFailure, UNEXPECTED } from './failure.ts'
import { printable } from './printable.ts'
import { nextStatus, type Settlement, statusPatch } from './status.ts'

const MAX_CONFLICTS = 5
const MIN_BACKOFF_MS = 750
const MAX_BACKOFF_MS = 15 * 60_000

/** The object is gone, or another one has its name now: there is nothing left to write a status to. */
export class ObjectGone extends Error {
  override name = 'ObjectGone'
}

export async function settleReady(context: SourceContext, task: Task): Promise<Result> {
  const { state } = task.known
  if (state?.archive === undefined) throw new Error('a run without an artifact cannot be ready')
  const artifact = { ...state.archive, url: context.archives.urlOf(state.archive.path) }
  const before = task.object
  const made = context.kind.made(before, state)
  await settle(context, task, { outcome: 'ready', artifact, made })
  tellReady(context, task, before, context.kind.news(before, state))
  return { requeueAfterMs: jitter(intervalMs(before)) }
}

export async function settleSuspended(context: SourceContext, task: Task): Promise<Result> {
  await settle(context, task, { outcome: 'suspended' })
  return undefined
}

/**
 * Says in status and event why a run did not work, and when to try again.
 * @throws what is no fault of the object (the API server is away, the service stops): the queue backs off.
 */
export async function settleFailure(context: SourceContext, task: Task, error: unknown): Promise<Result> {
  if (error instanceof ObjectGone) return undefined
  if (isStopped(task)) throw error
  const failure = toFailure(error)
  if (failure === undefined) throw error
  context.metrics.failed()
  const { reason } = failure
  const message = printable(failure.message + overdue(task))
  task.log.warn({ reason, message, ...detailsOf(failure) }, 'reconciliation failed')
  const before = task.object
  if (failure instanceof Stalled) {
    await settle(context, task, { outcome: 'stalled', reason, message })
    tellFailure(context, task, before, { reason, message })
    return undefined
  }
  await settle(context, task, { outcome: 'failed', condition: failure.condition, reason, message })
  tellFailure(context, task, before, { reason, message })
  return { requeueAfterMs: failure.retryAfterMs ?? backoffMs(task), priority: 'normal' }
}

function isStopped({ signal }: Task): boolean {
  return signal.aborted && !(signal.reason instanceof RunTooLong)
}

/** What is behind a failure that nobody thought of. */
function detailsOf({ reason, cause }: Error & { reason: string }): { stack?: string | undefined } {
  return reason === UNEXPECTED && cause instanceof Error ? { stack: cause.stack } : {}
}

function overdue({ signal }: Task): string {
  return signal.reason instanceof RunTooLong ? `; it ${signal.reason.message} (--max-run-seconds)` : ''
}

/** The one place that writes the status of a source: a single merge patch, and only when it changes something. */
async function settle(context: SourceContext, task: Task, settlement: Settlement): Promise<void> {
  const requestedAt = task.object.metadata.annotations?.[REQUESTED_AT_ANNOTATION]
  for (let attempt = 1; ; attempt += 1) {
    const { object, generation } = task
    const after = nextStatus(object, settlement, { generation, requestedAt, nowMs: context.now() })
    const patch = statusPatch(object.status, after)
    if (patch === undefined) return
    try {
      task.object = await writeStatus(context, object, patch)
      return
    } catch (error) {
      if (!(error instanceof KubeApiError) || attempt === MAX_CONFLICTS) throw error
      if (error.code !== 404 && error.code !== 409) throw error
      task.object = await readLive(context, task)
    }
  }
}

async function writeStatus(
  { kube, kind, objects }: SourceContext,
  { metadata }: SourceObject,
  status: Record<string, unknown>,
): Promise<SourceObject> {
  const patch = { metadata: { resourceVersion: metadata.resourceVersion }, status }
  const options = { fieldManager: SOURCE_FIELD_MANAGER, subresource: 'status' } as const
  return objects.wrote(await kube.mergePatch(kind.gvk, metadata, patch, options))
}

async function readLive(context: SourceContext, task: Task): Promise<SourceObject> {
  const { metadata } = task.object
  const live = await context.kube.get(context.kind.gvk, metadata)
  if (live === undefined || live.metadata.uid !== metadata.uid)
    throw new ObjectGone(`${context.kind.gvk.kind} ${task.key} is gone`)
  return context.objects.wrote(live)
}

/** A new digest is news; so is Ready after a failure. Nothing else is. */
function tellReady(context: SourceContext, task: Task, before: SourceObject, news: string): void {
  const { artifact } = task.object.status ?? {}
  if (artifact === undefined) return
  const metadata = { revision: artifact.revision, digest: artifact.digest }
  const common = { severity: 'info', metadata, traceId: task.traceId } as const
  if (before.status?.artifact?.digest !== artifact.digest) {
    context.events.record(task.object, { ...common, reason: 'NewArtifact', message: news })
  } else if (findCondition(before.status?.conditions, 'Ready')?.status === 'False') {
    const message = `stored artifact for revision '${artifact.revision}'`
    context.events.record(task.object, { ...common, reason: 'Succeeded', message })
  }
}

/** The same failure again is no news. */
function tellFailure(
  context: SourceContext,
  task: Task,
  before: SourceObject,
  { reason, message }: { reason: string; message: string },
): void {
  const ready = findCondition(before.status?.conditions, 'Ready')
  if (ready?.status === 'False' && ready.reason === reason && ready.message === message) return
  context.events.record(task.object, { severity: 'error', reason, message, traceId: task.traceId })
}

function intervalMs({ spec }: SourceObject): number {
  return parseInterval(spec.interval)
}

/** As Flux, but never longer than the interval: an origin that is back is noticed in time. */
function backoffMs({ attempt, object }: Task): number {
  const full = Math.min(MIN_BACKOFF_MS * 2 ** (attempt - 1), MAX_BACKOFF_MS)
  return jitter(Math.min(full, Math.max(intervalMs(object), MIN_BACKOFF_MS)))
}
