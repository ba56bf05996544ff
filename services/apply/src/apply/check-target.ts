import { APPLY_FIELD_MANAGER } from '@setpoint/contracts'
import { type JsonPatchOperation, KubeApiError } from '@setpoint/kube'
import { gvkOf, type KubeObject } from '@setpoint/manifest'
import type { ApplyContext, Task } from '../context.ts'
import { hasDrifted } from '../plan/diff.ts'
import { isCreateOnly, isForced, isLeftAlone, isMerged } from '../switches.ts'
import { takeOverPatch } from './managed-fields.ts'
import { mayBeImmutable } from './rejection.ts'
import type { Target } from './target.ts'

/** What has to be done about one object. Nothing has been written yet. */
export type Check = { target: Target } & (
  | { action: 'create' }
  | { action: 'configure'; live: KubeObject; takeOver: JsonPatchOperation[] | undefined }
  | { action: 'recreate'; live: KubeObject }
  | { action: 'none'; live: KubeObject }
  | { action: 'leave'; live: KubeObject | undefined }
)

/**
 * Reads the live object and asks the API server, by a dry run, what applying would make of it.
 * @throws KubeApiError when the API server refuses the object.
 */
export async function checkTarget(context: ApplyContext, task: Task, target: Target): Promise<Check> {
  const { object, ref } = target
  const live = await context.kube.get(gvkOf(object), ref, { signal: task.signal })
  if (isLeftAlone(object, live)) return { target, action: 'leave', live }
  if (live !== undefined && isCreateOnly(object, live)) return { target, action: 'none', live }
  try {
    const dryRun = await dryRunApply(context, task, target)
    if (live === undefined) return { target, action: 'create' }
    const takeOver = isMerged(object, live) ? undefined : takeOverPatch(live)
    if (takeOver !== undefined || hasDrifted(live, dryRun))
      return { target, action: 'configure', live, takeOver }
    return { target, action: 'none', live }
  } catch (error) {
    if (live === undefined || !mayBeImmutable(error) || !mayRecreate(task, target, live)) throw error
    await assureCreatable(context, task, target, error)
    return { target, action: 'recreate', live }
  }
}

function dryRunApply(context: ApplyContext, task: Task, target: Target): Promise<KubeObject> {
  return context.kube.apply(target.object, {
    fieldManager: APPLY_FIELD_MANAGER,
    dryRun: true,
    signal: task.signal,
  })
}

function mayRecreate(task: Task, target: Target, live: KubeObject): boolean {
  return task.kustomization.spec.force === true || isForced(target.object, live)
}

/** Nothing may be deleted for an object that could not be created again: a valid one is refused only for its name. */
async function assureCreatable(
  context: ApplyContext,
  task: Task,
  target: Target,
  reason: unknown,
): Promise<void> {
  try {
    await context.kube.create(target.object, {
      fieldManager: APPLY_FIELD_MANAGER,
      dryRun: true,
      signal: task.signal,
    })
  } catch (error) {
    if (error instanceof KubeApiError && error.reason === 'AlreadyExists') return
    throw error instanceof KubeApiError ? error : reason
  }
}
