import { NoMatchError } from '@setpoint/kube'
import type { KubeObject } from '@setpoint/manifest'
import type { ApplyContext, Task } from '../context.ts'
import { kindOf } from '../drift/drift-watches.ts'
import { isPaused } from '../drift/fights.ts'
import type { Known } from '../known.ts'
import { type Stage, stagesOf } from '../plan/order.ts'
import { isSampled } from '../plan/sample.ts'
import { applyStage } from './apply-stage.ts'
import { isRejection, type Rejection, refuse } from './rejection.ts'
import { guessTarget, resolveTarget, type Target } from './target.ts'
import { untilUsable } from './usable.ts'
import { type Change, pause } from './write-target.ts'

/** A kind whose definition was just established is served within moments. */
const NEW_KIND_TIMEOUT_MS = 10_000

/**
 * Brings the cluster to the set, stage by stage; nothing of a later stage is touched after a failure.
 * Objects that are known to be in place are not asked about, unless everything is to be checked.
 */
export async function applySet(
  context: ApplyContext,
  task: Task,
  objects: readonly KubeObject[],
  options: { checkAll: boolean; checkSome: boolean },
): Promise<Change[]> {
  const all: Change[] = []
  for (const stage of stagesOf(objects, context.policy.customStageKinds)) {
    const definesKinds = all.some(({ target }) => target.ref.kind === 'CustomResourceDefinition')
    const targets = await resolveStage(context, task, stage, definesKinds)
    const due = targets.filter(
      (target) => options.checkAll || isDue(context, task, target, options.checkSome),
    )
    const changes = await applyStage(context, task, due)
    if (stage.awaited) await untilUsable(context, task, changes)
    all.push(...changes, ...untouched(targets, due))
  }
  return all
}

/** The set's objects as they will be named in the inventory, as far as that can be known before it is applied. */
export async function guessTargets(context: ApplyContext, objects: readonly KubeObject[]): Promise<Target[]> {
  const targets: Target[] = []
  for (const object of objects) targets.push(await guessTarget(context.kube, object))
  return targets
}

/** Not in place, or its turn in a check at the interval; where no watch would tell of a change, it is always its turn. */
function isDue(context: ApplyContext, { known }: Task, target: Target, checkSome: boolean): boolean {
  if (!isInPlace(known, target, context.now())) return true
  return checkSome && (isSampled(target.id, known.round) || !context.driftWatches.sees(kindOf(target)))
}

/** Wanted as it was applied, and no watch has seen it change since, or only in a fight that pauses. */
function isInPlace(known: Known, target: Target, now: number): boolean {
  const object = known.objects.get(target.id)
  if (object?.hash !== target.hash || object.version !== target.version) return false
  return !known.touched.has(target.id) || isPaused(known.fights.get(target.id), now)
}

function untouched(targets: readonly Target[], due: readonly Target[]): Change[] {
  const asked = new Set(due)
  return targets
    .filter((target) => !asked.has(target))
    .map((target) => ({ target, action: 'unchanged', live: undefined }))
}

async function resolveStage(
  context: ApplyContext,
  task: Task,
  stage: Stage,
  definesKinds: boolean,
): Promise<Target[]> {
  const rejections: Rejection[] = []
  const targets: Target[] = []
  const deadline = context.now() + (definesKinds ? NEW_KIND_TIMEOUT_MS : 0)
  for (const object of stage.objects) {
    try {
      targets.push(await resolveBefore(deadline, context, task, object))
    } catch (error) {
      if (!isRejection(error)) throw error
      rejections.push({ target: await guessTarget(context.kube, object), step: 'dry-run', error })
    }
  }
  refuse(task, rejections)
  return targets
}

async function resolveBefore(
  deadline: number,
  context: ApplyContext,
  task: Task,
  object: KubeObject,
): Promise<Target> {
  for (;;) {
    try {
      return await resolveTarget(context.kube, object)
    } catch (error) {
      if (!(error instanceof NoMatchError) || context.now() >= deadline) throw error
      await pause(100, task)
      context.kube.invalidateDiscovery()
    }
  }
}
