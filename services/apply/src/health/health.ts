import { computeStatus } from '@setpoint/conditions'
import { formatDuration } from '@setpoint/contracts'
import { NoMatchError } from '@setpoint/kube'
import {
  describeRef,
  inventoryId,
  type KubeObject,
  type ObjectRef,
  parseApiVersion,
} from '@setpoint/manifest'
import type { Target } from '../apply/target.ts'
import type { Change } from '../apply/write-target.ts'
import type { ApplyContext, Task } from '../context.ts'
import { inParallel } from '../parallel.ts'
import { timeoutMs } from '../spec.ts'
import { healthRulesOf, statusByRules } from './expressions.ts'
import type { HealthTarget, PendingHealth } from './pending.ts'

export type HealthResult =
  | { state: 'unchecked' }
  | { state: 'passed'; durationMs: number }
  | { state: 'waiting'; dueInMs: number }
  | { state: 'failed'; message: string }

/** A watch that is away must not make a check hang: what is not well yet is asked about this often. */
const SAFETY_POLL_MS = 15_000

/** Starts to wait for health, if the spec asks for it; a check of an older set is superseded. */
export function beginHealth(
  context: ApplyContext,
  task: Task,
  digest: string,
  changes: readonly Change[],
): PendingHealth | undefined {
  const targets = healthTargets(task, changes)
  if (targets.size === 0) return undefined
  const startedAt = context.now()
  return {
    digest,
    generation: task.kustomization.metadata.generation ?? 0,
    startedAt,
    runStartedAt: task.startedAt,
    deadlineAt: startedAt + timeoutMs(task.kustomization),
    targets,
    dirty: new Set(targets.keys()),
    failure: undefined,
  }
}

/** Looks at what has changed since the last look, and says how the whole stands. */
export async function lookAtHealth(context: ApplyContext, task: Task): Promise<HealthResult> {
  const { health } = task.known
  if (health === undefined) return { state: 'unchecked' }
  const ids = [...health.targets].filter(([id, target]) => isDue(health, id, target)).map(([id]) => id)
  health.dirty.clear()
  await inParallel(ids, context.parallel, (id) => lookAt(context, task, health.targets.get(id)))
  return judge(health, context.now())
}

/** What is not well is asked about in every run; what is, only when a watch saw it change. */
function isDue(health: PendingHealth, id: string, target: HealthTarget): boolean {
  return health.dirty.has(id) || target.status !== 'Current'
}

async function lookAt(context: ApplyContext, task: Task, target: HealthTarget | undefined): Promise<void> {
  if (target === undefined) return
  const live = await getLive(context, task, target)
  if (live === undefined) {
    target.status = target.mayVanish ? 'Current' : 'NotFound'
    target.message = target.mayVanish ? 'finished and removed' : 'not found'
    return
  }
  const byRules = statusByRules(healthRulesOf(task.kustomization), live)
  const { status, message, recheckAfterMs } = byRules ?? computeStatus(live, { nowMs: context.now() })
  target.status = status
  target.message = message
  target.recheckAfterMs = recheckAfterMs
  target.resourceVersion = live.metadata.resourceVersion ?? ''
}

async function getLive(
  context: ApplyContext,
  task: Task,
  target: HealthTarget,
): Promise<KubeObject | undefined> {
  const { ref, version } = target
  try {
    return await context.kube.get({ group: ref.group, version, kind: ref.kind }, ref, { signal: task.signal })
  } catch (error) {
    if (error instanceof NoMatchError) return undefined
    throw error
  }
}

/** Pure: what the looks add up to. */
export function judge(health: PendingHealth, now: number): HealthResult {
  const all = [...health.targets.values()]
  const after = formatDuration(Math.round(now - health.startedAt))
  const failed = all.filter((target) => target.status === 'Failed')
  if (failed.length > 0)
    return {
      state: 'failed',
      message: `health check failed after ${after}: failed early due to stalled resources: ${listOf(failed)}`,
    }
  const unwell = all.filter((target) => target.status !== 'Current')
  if (unwell.length === 0) return { state: 'passed', durationMs: now - health.startedAt }
  if (now >= health.deadlineAt)
    return {
      state: 'failed',
      message: `health check failed after ${after}: timeout waiting for: ${listOf(unwell)}`,
    }
  const rechecks = unwell.map((target) => target.recheckAfterMs ?? SAFETY_POLL_MS)
  return { state: 'waiting', dueInMs: Math.min(health.deadlineAt - now, SAFETY_POLL_MS, ...rechecks) }
}

const MAX_LISTED = 20

function listOf(targets: readonly HealthTarget[]): string {
  const shown = targets
    .slice(0, MAX_LISTED)
    .map(
      ({ ref, status, message }) => `${describeRef(ref)} status: '${status}'${message ? `: ${message}` : ''}`,
    )
  const left = targets.length - shown.length
  return `[${shown.join(', ')}${left > 0 ? `, and ${left} more` : ''}]`
}

function healthTargets(task: Task, changes: readonly Change[]): Map<string, HealthTarget> {
  const { spec } = task.kustomization
  const applied = changes.filter(({ action }) => action !== 'skipped').map(({ target }) => target)
  const wanted = spec.wait
    ? applied.map(ownTarget)
    : (spec.healthChecks ?? []).map((check) => namedTarget(task, check))
  return new Map(
    wanted.filter(({ ref }) => !isSelf(task, ref)).map((target) => [inventoryId(target.ref), target]),
  )
}

function ownTarget({ object, ref, version }: Target): HealthTarget {
  const spec = object.spec as { ttlSecondsAfterFinished?: number } | undefined
  return {
    ref,
    version,
    ours: true,
    mayVanish: ref.kind === 'Job' && spec?.ttlSecondsAfterFinished !== undefined,
    status: 'Unknown',
    message: '',
    resourceVersion: '',
    recheckAfterMs: undefined,
  }
}

function namedTarget(
  task: Task,
  check: { apiVersion?: string; kind: string; name: string; namespace?: string },
): HealthTarget {
  const { group, version } = parseApiVersion(check.apiVersion || 'apps/v1')
  const namespace = check.namespace ?? task.kustomization.metadata.namespace ?? ''
  const ref: ObjectRef = { group, kind: check.kind, namespace, name: check.name }
  const ours = task.known.objects.has(inventoryId(ref))
  return {
    ref,
    version,
    ours,
    mayVanish: false,
    status: 'Unknown',
    message: '',
    resourceVersion: '',
    recheckAfterMs: undefined,
  }
}

function isSelf(task: Task, ref: ObjectRef): boolean {
  return (
    ref.kind === 'Kustomization' &&
    ref.group === 'kustomize.toolkit.fluxcd.io' &&
    `${ref.namespace}/${ref.name}` === task.key
  )
}
