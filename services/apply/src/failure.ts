import { isConditionTrue } from '@setpoint/conditions'
import { formatDuration } from '@setpoint/contracts'
import { KubeApiError, KubeConfigError } from '@setpoint/kube'
import { ReconcileError, type Result, RunTooLong, Stalled, Waiting } from '@setpoint/reconcile'
import { ClusterAway } from './clusters/cluster-away.ts'
import type { ApplyContext, Task } from './context.ts'
import { NotYet } from './not-yet.ts'
import { requestOf } from './renderings.ts'
import { SetNotThere } from './sealed-sets.ts'
import { KustomizationGone, publishOutcome, settle } from './settle.ts'
import { retryIntervalMs } from './spec.ts'
import { failed, progressing, type Settlement, stalled } from './status/settlement.ts'
import { tellFailure } from './tell.ts'

/** For how long something that should take moments is waited for in silence. */
const GRACE_MS = 5_000
const PATIENT_RETRY_MS = 30_000

/** A newer set or spec is there: the run that waited for something ends, and another one begins. */
export class Superseded extends Error {
  override name = 'Superseded'
}

/**
 * Says in status, event and outcome why a run did not work, and when to try again.
 * @throws what is no fault of the Kustomization (the API server or NATS is away): the queue backs off.
 */
export async function settleFailure(context: ApplyContext, task: Task, cause: unknown): Promise<Result> {
  const error = inWords(cause)
  if (error instanceof KustomizationGone || error instanceof Superseded) return undefined
  if (error instanceof RunTooLong) return settleFailure(context, task, givenUp(context, task, error))
  if (error instanceof NotYet) return stayPatient(context, task, error)
  if (error instanceof SetNotThere) return stayPatient(context, task, new NotYet(error.message))
  if (!(error instanceof ReconcileError)) throw error
  task.known.waitingSince = undefined
  const settlement = settlementOf(context, task, error)
  await settle(context, task, settlement)
  const severity = error instanceof Waiting ? 'info' : 'error'
  if (severity === 'error') context.metrics.failed()
  const news = tellFailure(context, task, { reason: error.reason, message: error.message, severity })
  if (news) publishOutcome(context, task, settlement, { run: context.now() - task.startedAt })
  if (error instanceof Stalled) return undefined
  return { requeueAfterMs: error.retryAfterMs ?? retryIntervalMs(task.kustomization), priority: 'normal' }
}

/** What people can do something about is told, whatever request it came from. */
function inWords(error: unknown): unknown {
  if (error instanceof ClusterAway) return error.absence
  const isRefused = error instanceof KubeApiError && (error.code === 401 || error.code === 403)
  if (isRefused || error instanceof KubeConfigError)
    return new ReconcileError('ReconciliationFailed', error.message, { cause: error })
  return error
}

const MAX_UNDER_WAY = 10

/** A wedged step is killed, counted and reported with what it waited for. */
function givenUp(context: ApplyContext, { underWay }: Task, { deadlineMs }: RunTooLong): ReconcileError {
  context.metrics.killed()
  const names = [...underWay].slice(0, MAX_UNDER_WAY)
  const waited = names.length === 0 ? '' : `; no answer about ${names.join(', ')}`
  return new ReconcileError(
    'ReconciliationFailed',
    `gave up after ${formatDuration(deadlineMs)} (spec.timeout)${waited}; nothing was pruned`,
  )
}

function settlementOf(context: ApplyContext, task: Task, error: ReconcileError): Settlement {
  const { reason, message } = error
  const request = requestOf(task.kustomization)
  if (error instanceof Stalled) return stalled(reason, message, request)
  const revision = task.rendering?.message.revision ?? ''
  const attempted = revision === '' || error instanceof Waiting ? {} : { attemptedRevision: revision }
  return {
    ...failed(reason, message, request),
    ...attempted,
    ...healthOf(reason, message),
    ...historyOf(context, task, error),
  }
}

function healthOf(reason: string, message: string): Pick<Settlement, 'healthy'> {
  return reason === 'HealthCheckFailed' ? { healthy: { status: 'False', reason, message } } : {}
}

/** A failure gets its row when it is new; a retry that fails the same way writes nothing. */
function historyOf(context: ApplyContext, task: Task, error: ReconcileError): Pick<Settlement, 'history'> {
  const { set, revision = '' } = task.chosen ?? task.rendering?.message ?? {}
  const row = task.kustomization.status?.history?.[0]
  if (set === undefined || error instanceof Waiting) return {}
  if (row?.digest === set.digest && row.lastReconciledStatus === error.reason) return {}
  return { history: { digest: set.digest, durationMs: context.now() - task.startedAt, revision } }
}

async function stayPatient(context: ApplyContext, task: Task, error: NotYet): Promise<Result> {
  const { known } = task
  known.waitingSince ??= context.now()
  const leftMs = known.waitingSince + GRACE_MS - context.now()
  const { reason, message, retryAfterMs } = error
  if (leftMs > 0) return { requeueAfterMs: retryAfterMs ?? leftMs, priority: 'normal' }
  if (isAsItWas(task)) return { requeueAfterMs: retryAfterMs ?? PATIENT_RETRY_MS, priority: 'normal' }
  const settlement = reason === undefined ? progressing(message) : failed(reason, message, '')
  await settle(context, task, settlement)
  return { requeueAfterMs: retryAfterMs ?? PATIENT_RETRY_MS, priority: 'normal' }
}

/** The render service has said nothing since this process began, and nothing is asked for: what was Ready still is. */
function isAsItWas({ rendering, kustomization, generation }: Task): boolean {
  const { conditions, observedGeneration, lastHandledReconcileAt } = kustomization.status ?? {}
  const request = requestOf(kustomization)
  const answered = request === '' || request === lastHandledReconcileAt
  return (
    rendering === undefined &&
    answered &&
    observedGeneration === generation &&
    isConditionTrue(conditions, 'Ready')
  )
}
