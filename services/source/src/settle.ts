import { findCondition } from '@setpoint/conditions'
import {
  GIT_REPOSITORY,
  type GitRepository,
  parseDuration,
  REQUESTED_AT_ANNOTATION,
  SOURCE_FIELD_MANAGER,
} from '@setpoint/contracts'
import { KubeApiError } from '@setpoint/kube'
import { jitter, type Result, Stalled } from '@setpoint/reconcile'
import type { SourceContext, Task } from './context.ts'
import { type SourceFailure, toFailure } from './failure.ts'
import type { SourceState } from './state.ts'
import { type Made, nextStatus, type Settlement, statusPatch } from './status.ts'

const MAX_CONFLICTS = 5
const MIN_BACKOFF_MS = 750
const MAX_BACKOFF_MS = 15 * 60_000

/** The repository is gone, or another one has its name now: there is nothing left to write a status to. */
export class RepositoryGone extends Error {
  override name = 'RepositoryGone'
}

export async function settleReady(context: SourceContext, task: Task): Promise<Result> {
  const { state } = task.known
  if (state?.archive === undefined) throw new Error('a run without an artifact cannot be ready')
  const artifact = { ...state.archive, url: context.archives.urlOf(state.archive.path) }
  const before = task.repository
  await settle(context, task, { outcome: 'ready', artifact, made: madeWith(before, state) })
  tellReady(context, task, before, state.subject)
  return { requeueAfterMs: jitter(intervalMs(before)) }
}

/** What the artifact was made with: the spec of this run, for nothing is left that asks for another one. */
function madeWith({ spec }: GitRepository, { ignore, included, verification }: SourceState): Made {
  const { include = [], recurseSubmodules = false, sparseCheckout = [] } = spec
  return {
    observed: {
      ...(ignore === '' ? {} : { observedIgnore: ignore }),
      ...(include.length === 0 ? {} : { observedInclude: include, includedArtifacts: included }),
      ...(recurseSubmodules ? { observedRecurseSubmodules: true } : {}),
      ...(sparseCheckout.length === 0 ? {} : { observedSparseCheckout: sparseCheckout }),
      ...(verification === undefined ? {} : { sourceVerificationMode: verification.mode }),
    },
    verified: verification?.message,
  }
}

export async function settleSuspended(context: SourceContext, task: Task): Promise<Result> {
  await settle(context, task, { outcome: 'suspended' })
  return undefined
}

/**
 * Says in status and event why a run did not work, and when to try again.
 * @throws what is no fault of the repository (the API server is away, a bug): the queue backs off.
 */
export async function settleFailure(context: SourceContext, task: Task, error: unknown): Promise<Result> {
  if (error instanceof RepositoryGone) return undefined
  const failure = error instanceof Stalled ? error : toFailure(error)
  if (failure === undefined) throw error
  context.metrics.failed()
  const { reason, message } = failure
  task.log.warn({ reason, message }, 'reconciliation failed')
  const before = task.repository
  if (failure instanceof Stalled) {
    await settle(context, task, { outcome: 'stalled', reason, message })
    tellFailure(context, task, before, failure)
    return undefined
  }
  await settle(context, task, { outcome: 'failed', condition: failure.condition, reason, message })
  tellFailure(context, task, before, failure)
  return { requeueAfterMs: failure.retryAfterMs ?? backoffMs(task), priority: 'normal' }
}

/** The one place that writes a GitRepository's status: a single merge patch, and only when it changes something. */
async function settle(context: SourceContext, task: Task, settlement: Settlement): Promise<void> {
  const requestedAt = task.repository.metadata.annotations?.[REQUESTED_AT_ANNOTATION]
  for (let attempt = 1; ; attempt += 1) {
    const { repository, generation } = task
    const after = nextStatus(repository, settlement, { generation, requestedAt, nowMs: context.now() })
    const patch = statusPatch(repository.status, after)
    if (patch === undefined) return
    try {
      task.repository = await writeStatus(context, repository, patch)
      return
    } catch (error) {
      if (!(error instanceof KubeApiError) || attempt === MAX_CONFLICTS) throw error
      if (error.code !== 404 && error.code !== 409) throw error
      task.repository = await readLive(context, task)
    }
  }
}

async function writeStatus(
  context: SourceContext,
  { metadata }: GitRepository,
  status: Record<string, unknown>,
): Promise<GitRepository> {
  const patch = { metadata: { resourceVersion: metadata.resourceVersion }, status }
  const options = { fieldManager: SOURCE_FIELD_MANAGER, subresource: 'status' } as const
  return context.repositories.wrote(await context.kube.mergePatch(GIT_REPOSITORY, metadata, patch, options))
}

async function readLive(context: SourceContext, task: Task): Promise<GitRepository> {
  const { metadata } = task.repository
  const live = await context.kube.get(GIT_REPOSITORY, metadata)
  if (live === undefined || live.metadata.uid !== metadata.uid)
    throw new RepositoryGone(`GitRepository ${task.key} is gone`)
  return context.repositories.wrote(live)
}

/** A new digest is news; so is Ready after a failure. Nothing else is. */
function tellReady(context: SourceContext, task: Task, before: GitRepository, subject: string): void {
  const { artifact } = task.repository.status ?? {}
  if (artifact === undefined) return
  const metadata = { revision: artifact.revision, digest: artifact.digest }
  const common = { severity: 'info', metadata, traceId: task.traceId } as const
  if (before.status?.artifact?.digest !== artifact.digest) {
    const message = `stored artifact for commit '${subject}'`
    context.events.record(task.repository, { ...common, reason: 'NewArtifact', message })
  } else if (findCondition(before.status?.conditions, 'Ready')?.status === 'False') {
    const message = `stored artifact for revision '${artifact.revision}'`
    context.events.record(task.repository, { ...common, reason: 'Succeeded', message })
  }
}

/** The same failure again is no news. */
function tellFailure(
  context: SourceContext,
  task: Task,
  before: GitRepository,
  { reason, message }: SourceFailure | Stalled,
): void {
  const ready = findCondition(before.status?.conditions, 'Ready')
  if (ready?.status === 'False' && ready.reason === reason && ready.message === message) return
  context.events.record(task.repository, { severity: 'error', reason, message, traceId: task.traceId })
}

function intervalMs({ spec }: GitRepository): number {
  return parseDuration(spec.interval)
}

/** As Flux, but never longer than the interval: a repository that is back is noticed in time. */
function backoffMs({ attempt, repository }: Task): number {
  const full = Math.min(MIN_BACKOFF_MS * 2 ** (attempt - 1), MAX_BACKOFF_MS)
  return jitter(Math.min(full, Math.max(intervalMs(repository), MIN_BACKOFF_MS)))
}
