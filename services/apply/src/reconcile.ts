import { findCondition, isConditionTrue } from '@setpoint/conditions'
import { formatDuration, REASON_INVALID_ANNOTATION, type RenderedSet, wishesOf } from '@setpoint/contracts'
import type { InventoryEntry, KubeObject } from '@setpoint/manifest'
import { jitter, ReconcileError, type Result, Stalled, Waiting } from '@setpoint/reconcile'
import { applySet, guessTargets } from './apply/apply-set.ts'
import { ignoreRulesOf } from './apply/ignored-fields.ts'
import { rejectionsError } from './apply/rejection.ts'
import { entryOf } from './apply/target.ts'
import type { Change } from './apply/write-target.ts'
import type { ApplyContext, Task } from './context.ts'
import { awaitedKeys, cycleOf } from './dependency-cycle.ts'
import { firstUnmet } from './depends-on.ts'
import { countHeal } from './drift/drift.ts'
import { kindOf } from './drift/drift-watches.ts'
import { isPaused, nextHealAt } from './drift/fights.ts'
import { settleFailure } from './failure.ts'
import { addFinalizer, finalize } from './finalize.ts'
import { healthRulesOf } from './health/expressions.ts'
import { beginHealth, lookAtHealth } from './health/health.ts'
import { covers, inventoryOf, joinInventories } from './inventory.ts'
import type { Known } from './known.ts'
import { NotYet } from './not-yet.ts'
import { takeNotice } from './notices.ts'
import { sampleCost } from './plan/sample.ts'
import { isSettledOn } from './prune/claims.ts'
import { contestLine } from './prune/contests.ts'
import { NOTHING_PRUNED, type Pruned } from './prune/prune.ts'
import { pruneStale } from './prune/prune-stale.ts'
import { type Rendering, requestOf, speaksOf } from './renderings.ts'
import { type Chosen, chooseSet, heldTo, tellRollback } from './rollback.ts'
import { publishOutcome, settle } from './settle.ts'
import { intervalMs, retryIntervalMs, timeoutMs } from './spec.ts'
import { awaitingHealth, progressing, type Settlement } from './status/settlement.ts'
import { changesetOf, record, recordStep, tellChanges, tellFinished } from './tell.ts'

/** How often something that should be there in moments is looked for, should its sign get lost. */
const DEPENDENCY_RETRY_MS = 30_000

/** Brings the cluster to what one Kustomization says, and says so in its status. Says when to look again. */
export async function reconcile(context: ApplyContext, task: Task): Promise<Result> {
  try {
    if (task.kustomization.metadata.deletionTimestamp !== undefined) return await finalize(context, task)
    await addFinalizer(context, task)
    if (task.kustomization.spec.suspend) return await rest(context, task)
    return await bringAbout(await context.clusters.enter(context, task), task)
  } catch (error) {
    return settleFailure(context, task, error)
  }
}

async function bringAbout(context: ApplyContext, task: Task): Promise<Result> {
  refuseInvalidWishes(task)
  healthRulesOf(task.kustomization)
  await ignoreRulesOf(task.kustomization)
  const rendering = currentRendering(task)
  const newest = renderedSet(rendering)
  requireDependencies(context, task, rendering)
  const chosen = await chooseSet(context, task, rendering, newest)
  task.chosen = chosen
  const { set } = chosen
  const plan = planOf(context, task, set)
  task.enforces = task.wishes.drift === 'enforce' || plan.requested
  task.settledBefore = task.known.digest === undefined && isSettledOn(task.kustomization, set.digest)
  if (plan.inPlace) {
    takeNotice(context, task)
    return conclude(context, task, { rendering, chosen, changeset: '' })
  }
  const objects = await context.sets.open(task.key, set)
  await secureInventory(context, task, objects)
  const changes = await applyWhole(context, task, { set, objects, plan })
  refuseIncomplete(context, task)
  refuseContested(context, task)
  const pruned = await pruneStale(context, task, changes)
  await keepInventory(context, task, changes, pruned)
  takeNotice(context, task)
  tellChanges(context, task, changesetOf([], pruned))
  return conclude(context, task, { rendering, chosen, changeset: changesetOf(changes, pruned) })
}

/** Applies the set, notes that it is in place, and begins to look at its health. What has left it is still there. */
async function applyWhole(
  context: ApplyContext,
  task: Task,
  { set, objects, plan }: { set: RenderedSet; objects: readonly KubeObject[]; plan: Plan },
): Promise<Change[]> {
  const { known } = task
  known.digest = undefined
  const changes = await applySet(context, task, objects, plan)
  forgetGone(known, changes)
  remember(context, task, set, plan)
  const changeset = changesetOf(changes, NOTHING_PRUNED)
  tellChanges(context, task, changeset)
  noteHeals(context, task, plan, changes)
  if (plan.checkAll || plan.checkSome || plan.isNew || changeset !== '')
    known.health = beginHealth(context, task, set.digest, changes)
  context.healthWatches.hold(task.key, known.health?.targets ?? [])
  return changes
}

/** What was said of objects that left the set is no issue any more. */
function forgetGone({ contested, tolerated, fights }: Known, changes: readonly Change[]): void {
  const declared = new Set(changes.map(({ target }) => target.id))
  for (const said of [contested, tolerated, fights])
    for (const id of said.keys()) if (!declared.has(id)) said.delete(id)
}

/** In partial mode everything else is applied by now. */
function refuseIncomplete(context: ApplyContext, task: Task): void {
  task.known.incomplete = task.refused.length > 0
  if (!task.known.incomplete) return
  takeNotice(context, task)
  throw rejectionsError(task.refused, 'PartiallyApplied')
}

/** What the other Kustomization made of an object is not what is wanted here. */
function refuseContested(context: ApplyContext, task: Task): void {
  const lines = [...task.known.contested.values()]
    .filter(({ differs }) => differs)
    .map(({ object, holder }) => contestLine({ object, holder, taker: task.key }))
  if (lines.length === 0) return
  takeNotice(context, task)
  throw new ReconcileError('ReconciliationFailed', lines.join('\n'))
}

/** Suspended: nothing is touched, but requests are answered. */
async function rest(context: ApplyContext, task: Task): Promise<Result> {
  task.known.health = undefined
  context.healthWatches.release(task.key)
  context.clusters.release(task.key)
  const observed = isConditionTrue(task.kustomization.status?.conditions, 'Ready')
  await settle(context, task, { handledRequest: requestOf(task.kustomization), observed })
  return undefined
}

function refuseInvalidWishes({ kustomization }: Task): void {
  const { problems } = wishesOf(kustomization)
  if (problems.length > 0) throw new Stalled(REASON_INVALID_ANNOTATION, problems.join('\n'))
}

function currentRendering({ kustomization, rendering }: Task): Rendering {
  if (rendering !== undefined && speaksOf(rendering, kustomization)) return rendering
  throw new NotYet(`waiting for generation ${kustomization.metadata.generation} to be built`)
}

function renderedSet({ message: { set, problem, revision } }: Rendering): RenderedSet {
  if (problem?.stalled) throw new Stalled(problem.reason, problem.message)
  if (problem?.reason === 'ArtifactFailed' && revision === '')
    throw new Waiting(problem.reason, problem.message)
  if (problem !== undefined) throw new ReconcileError(problem.reason, problem.message)
  if (set === undefined)
    throw new ReconcileError('BuildFailed', 'the render service sent neither a set nor a problem')
  return set
}

function requireDependencies(context: ApplyContext, task: Task, rendering: Rendering): void {
  const additive = context.policy.additiveDependencyCheck
  const find = (key: string) => context.kustomizations.get(key)
  const { revision } = rendering.message
  const unmet = firstUnmet(task.kustomization, { revision, additive, find })
  if (unmet === undefined) return
  const cycle = cycleOf(task.key, (key) => awaitedKeys(find(key), additive))
  const message = cycle === undefined ? unmet.message : `dependency cycle: ${cycle.join(' -> ')}`
  if (unmet.soon && cycle === undefined) throw new NotYet(message, { reason: 'DependencyNotReady' })
  throw new Waiting('DependencyNotReady', message, { retryAfterMs: DEPENDENCY_RETRY_MS })
}

interface Plan {
  /** Somebody has asked for this run. */
  requested: boolean
  /** Ask the API server about every object, not only about those that changed. */
  checkAll: boolean
  /** The interval has passed: ask about some of those that seem to be in place. */
  checkSome: boolean
  /** Another set or spec than the one in place. */
  isNew: boolean
  /** Nothing to ask about and nothing to write but the status. */
  inPlace: boolean
}

function planOf(context: ApplyContext, task: Task, set: RenderedSet): Plan {
  const { known, kustomization, wishes } = task
  const request = requestOf(kustomization)
  const requested =
    request !== '' &&
    request !== kustomization.status?.lastHandledReconcileAt &&
    request !== known.checkedRequest
  const isEnforced = wishes.drift === 'enforce' || requested
  const checkAll =
    known.digest === undefined || known.checkWanted || requested || (isEnforced && known.tolerated.size > 0)
  const checkSome = !checkAll && mayCheck(context, task)
  const isNew = known.digest !== set.digest || known.generation !== task.generation
  const isDisturbed = [...known.touched.keys()].some((id) => !isPaused(known.fights.get(id), context.now()))
  const isSettled = !isDisturbed && known.contested.size === 0 && !known.pruneDue && !known.incomplete
  return { requested, checkAll, checkSome, isNew, inPlace: !checkAll && !checkSome && !isNew && isSettled }
}

/** The longest that the budget puts off a check. */
const MAX_PUT_OFF_MS = 60 * 60_000

/** The interval has passed, and the budget of requests allows a check; else it is put off. */
function mayCheck(context: ApplyContext, { known, kustomization }: Task): boolean {
  const now = context.now()
  // A clock that jumped back by more than the interval must not put the check off for as long.
  const left = known.nextCheckAt - now
  if (left > 0 && left <= intervalMs(kustomization) * 2 + MAX_PUT_OFF_MS) return false
  const waitMs = context.checkBudget.take(sampleCost(known.objects.size), now)
  if (waitMs > 0) known.nextCheckAt = now + waitMs
  return waitMs === 0
}

/** A kill between apply and status must not orphan an object: new ids are in the inventory before they are in the cluster. */
async function secureInventory(
  context: ApplyContext,
  task: Task,
  objects: readonly KubeObject[],
): Promise<void> {
  const targets = await guessTargets(context, objects)
  const before = inventoryOf(task.kustomization)
  if (
    covers(
      before,
      targets.map((target) => target.id),
    )
  )
    return
  const inventory = joinInventories(before, targets.map(entryOf))
  await settle(context, task, { ...progressing(), inventory })
}

/** What is in the cluster now: the set, and what could not or may not be deleted. */
async function keepInventory(
  context: ApplyContext,
  task: Task,
  changes: readonly Change[],
  { failed, kept }: Pruned,
): Promise<void> {
  const inventory = joinInventories(
    kept,
    failed.map(({ entry }) => entry),
    changes.map(({ target }) => entryOf(target)),
  )
  task.inventory = inventory
  task.known.pruneDue = failed.length + kept.length > 0
  if (failed.length === 0) return
  await settle(context, task, { inventory })
  throw new ReconcileError('PruneFailed', failed.map(({ problem }) => problem).join('\n'))
}

function remember(context: ApplyContext, task: Task, set: RenderedSet, plan: Plan): void {
  const { known, kustomization } = task
  const nextInterval = context.now() + jitter(intervalMs(kustomization))
  known.digest = set.digest
  known.generation = task.generation
  known.pruneDue = true
  if (plan.checkSome) known.round += 1
  known.nextCheckAt =
    plan.checkAll || plan.checkSome ? nextInterval : Math.min(known.nextCheckAt, nextInterval)
  if (plan.checkAll) {
    known.checkWanted = false
    known.checkedRequest = requestOf(kustomization)
  }
  context.driftWatches.hold(task.key, [...known.objects.values()].map(kindOf))
}

function noteHeals(context: ApplyContext, { known }: Task, plan: Plan, changes: readonly Change[]): void {
  if (plan.isNew) return
  const healed = changes.filter(({ action }) => action === 'created' || action === 'configured').length
  if (healed === 0) return
  known.heals = countHeal(known.heals, context.now())
  context.metrics.healed(healed)
}

interface Conclusion {
  rendering: Rendering
  chosen: Chosen
  changeset: string
}

/** Looks at the health, if that is asked for, and settles the run. */
async function conclude(context: ApplyContext, task: Task, conclusion: Conclusion): Promise<Result> {
  const { known } = task
  const { revision } = conclusion.chosen
  const result = await lookAtHealth(context, task)
  task.startedAt = known.health?.runStartedAt ?? task.startedAt
  switch (result.state) {
    case 'waiting': {
      const timeout = formatDuration(timeoutMs(task.kustomization))
      await settle(context, task, { ...awaitingHealth(revision, timeout), ...inventoryNow(task) })
      return { requeueAfterMs: result.dueInMs, priority: 'normal' }
    }
    case 'failed':
      if (known.health !== undefined) known.health.failure ??= result.message
      known.nextCheckAt = Math.min(known.nextCheckAt, context.now() + retryIntervalMs(task.kustomization))
      throw new ReconcileError('HealthCheckFailed', known.health?.failure ?? result.message)
    case 'passed':
      known.health = undefined
      context.healthWatches.release(task.key)
      return succeed(context, task, conclusion, passed(context, task, conclusion, result.durationMs))
    case 'unchecked':
      return succeed(context, task, conclusion, hasHealthChecks(task) ? {} : { healthy: null })
  }
}

function passed(
  context: ApplyContext,
  task: Task,
  { changeset }: Conclusion,
  durationMs: number,
): Pick<Settlement, 'healthy'> {
  const before = findCondition(task.kustomization.status?.conditions, 'Healthy')
  const isNews = before?.status !== 'True'
  if (!isNews && changeset === '' && before.observedGeneration === task.generation) return {}
  const message = `Health check passed in ${formatDuration(Math.round(durationMs))}`
  if (isNews) record(context, task, { severity: 'info', reason: 'Progressing', message })
  return { healthy: { status: 'True', reason: 'Succeeded', message } }
}

function hasHealthChecks({ kustomization: { spec } }: Task): boolean {
  return spec.wait === true || (spec.healthChecks ?? []).length > 0
}

async function succeed(
  context: ApplyContext,
  task: Task,
  { rendering, chosen, changeset }: Conclusion,
  health: Pick<Settlement, 'healthy'>,
): Promise<Result> {
  const { status = {} } = task.kustomization
  const { set, revision } = chosen
  const { revision: newestRevision, originRevision } = rendering.message
  // Of an earlier build it is not known.
  const origin = (revision === newestRevision && originRevision) || ''
  const request = requestOf(task.kustomization)
  const moved =
    status.lastAppliedRevision !== revision ||
    (status.lastAppliedOriginRevision ?? '') !== origin ||
    status.lastAttemptedRevision !== newestRevision ||
    status.history?.[0]?.digest !== set.digest ||
    (request !== '' && status.lastHandledReconcileAt !== request) ||
    !isConditionTrue(status.conditions, 'Ready')
  const durationMs = context.now() - task.startedAt
  const settlement: Settlement = {
    ...heldTo(chosen, { newestRevision, request }),
    appliedOriginRevision: origin,
    ...health,
    ...inventoryNow(task),
    ...(moved ? { history: { digest: set.digest, durationMs, revision } } : {}),
  }
  tellRollback(context, task, settlement)
  await settle(context, task, settlement)
  const nextRunAt = Math.min(task.known.nextCheckAt, nextHealAt(task.known, context.now()))
  const nextRunMs = Math.max(nextRunAt - context.now(), 1)
  if (moved || changeset !== '') {
    const commitToReady = context.now() - rendering.time
    context.metrics.committedToReady(commitToReady)
    publishOutcome(context, task, settlement, { run: durationMs, commitToReady })
    const busOnly = changeset === '' && health.healthy?.status !== 'True'
    tellFinished(context, task, { nextRunMs: intervalMs(task.kustomization), busOnly })
    if (!busOnly) recordStep(context, task, 'apply.ready')
  }
  task.known.toldFailure = ''
  task.known.waitingSince = undefined
  task.known.handOverSince = undefined
  return { requeueAfterMs: nextRunMs, priority: 'low' }
}

function inventoryNow({ inventory }: Task): { inventory?: InventoryEntry[] } {
  return inventory === undefined ? {} : { inventory }
}
