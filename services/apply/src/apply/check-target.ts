import { APPLY_FIELD_MANAGER } from '@setpoint/contracts'
import { type JsonPatchOperation, KubeApiError } from '@setpoint/kube'
import { gvkOf, type KubeObject } from '@setpoint/manifest'
import type { ApplyContext, Task } from '../context.ts'
import type { DriftReport } from '../drift/drift-report.ts'
import { inventoryOf } from '../inventory.ts'
import { hasDrifted } from '../plan/diff.ts'
import { holderOf } from '../prune/holder.ts'
import { isCreateOnly, isForced, isLeftAlone, isMerged, withoutOwner } from '../switches.ts'
import { keptFields } from './ignored-fields.ts'
import { takeOverPatch } from './managed-fields.ts'
import { mayBeImmutable } from './rejection.ts'
import type { Target } from './target.ts'

/** What has to be done about one object. Nothing has been written yet. */
export type Check = { target: Target } & (
  | { action: 'create' }
  | {
      action: 'configure'
      /** What to apply: the target's object, with what spec.ignore leaves to others as it is. */
      desired: KubeObject
      live: KubeObject
      /** What the API server would make of it. */
      answer: KubeObject
      takeOver: JsonPatchOperation[] | undefined
    }
  | { action: 'recreate'; live: KubeObject }
  | { action: 'none'; live: KubeObject }
  | { action: 'leave'; live: KubeObject | undefined }
  | { action: 'tolerate'; live: KubeObject | undefined; report: DriftReport }
  | { action: 'yield'; live: KubeObject; holder: string; differs: boolean }
)

/**
 * Asks the API server, by a dry run, what applying would make of an object, and compares it with the live one.
 * @throws KubeApiError when the API server refuses the object.
 */
export async function checkTarget(context: ApplyContext, task: Task, target: Target): Promise<Check> {
  const keep = await keptFields(task.kustomization, target.object)
  const live = keep && (await getLive(context, task, target))
  if (keep === undefined || live === undefined) return checkWhole(context, task, target)
  const desired = keep(live)
  return compare(context, task, { target, desired, answer: await dryRunApply(context, task, desired) }, live)
}

async function checkWhole(context: ApplyContext, task: Task, target: Target): Promise<Check> {
  const [answer, found] = await askAbout(context, task, target)
  if (answer instanceof KubeApiError || found !== undefined)
    return compare(context, task, { target, desired: target.object, answer }, found)
  if (isCreation(answer))
    return isLeftAlone(target.object, undefined)
      ? { target, action: 'leave', live: undefined }
      : { target, action: 'create' }
  const live = await getLive(context, task, target)
  return compare(context, task, { target, desired: target.object, answer }, live)
}

type DryRunAnswer = KubeObject | KubeApiError

/** One that should be there is read at the same time; for a new one the dry run tells that there is none, which saves the read. */
async function askAbout(
  context: ApplyContext,
  task: Task,
  target: Target,
): Promise<[DryRunAnswer, KubeObject | undefined]> {
  const read = isExpected(task, target) ? getLive(context, task, target) : undefined
  read?.catch(() => undefined)
  const answer = await dryRunApply(context, task, target.object)
  // Who may not apply may often not read either, but what is missing is the right to apply.
  if (answer instanceof KubeApiError && answer.code === 403) throw answer
  if (read !== undefined) return [answer, await read]
  return [answer, answer instanceof KubeApiError ? await getLive(context, task, target) : undefined]
}

async function compare(
  context: ApplyContext,
  task: Task,
  { target, desired, answer }: { target: Target; desired: KubeObject; answer: DryRunAnswer },
  live: KubeObject | undefined,
): Promise<Check> {
  const { object } = target
  if (isLeftAlone(object, live)) return { target, action: 'leave', live }
  if (live !== undefined && isCreateOnly(object, live)) return { target, action: 'none', live }
  const holder = live && (await holderOf(context, task, target.id, live))
  if (live !== undefined && holder !== undefined)
    return { target, action: 'yield', live, holder, differs: wantsOtherwise(answer, live) }
  if (answer instanceof KubeApiError) return recreateOrRefuse(context, task, target, answer, live)
  if (live === undefined) return { target, action: 'create' }
  const takeOver = isMerged(object, live) ? undefined : takeOverPatch(live, context.policy.overrideManagers)
  if (takeOver === undefined && !hasDrifted(live, answer)) return { target, action: 'none', live }
  return { target, action: 'configure', desired, live, answer, takeOver }
}

/** The owner labels aside: two that want the same are no trouble to each other. */
function wantsOtherwise(answer: DryRunAnswer, live: KubeObject): boolean {
  return answer instanceof KubeApiError || hasDrifted(withoutOwner(live), withoutOwner(answer))
}

async function recreateOrRefuse(
  context: ApplyContext,
  task: Task,
  target: Target,
  refusal: KubeApiError,
  live: KubeObject | undefined,
): Promise<Check> {
  if (live === undefined || !mayBeImmutable(refusal) || !mayRecreate(task, target, live)) throw refusal
  await assureCreatable(context, task, target)
  return { target, action: 'recreate', live }
}

async function dryRunApply(context: ApplyContext, task: Task, desired: KubeObject): Promise<DryRunAnswer> {
  try {
    return await context.kube.apply(desired, {
      fieldManager: APPLY_FIELD_MANAGER,
      dryRun: true,
      signal: task.signal,
    })
  } catch (error) {
    if (error instanceof KubeApiError) return error
    throw error
  }
}

function getLive(
  context: ApplyContext,
  task: Task,
  { object, ref }: Target,
): Promise<KubeObject | undefined> {
  return context.kube.get(gvkOf(object), ref, { signal: task.signal })
}

/** It was applied before, by this process or an earlier one. */
function isExpected({ known, kustomization }: Task, { id }: Target): boolean {
  return (
    known.objects.has(id) ||
    (kustomization.status?.lastAppliedRevision !== undefined &&
      inventoryOf(kustomization).some((entry) => entry.id === id))
  )
}

/** Only what was stored has a resource version. */
function isCreation(dryRun: KubeObject): boolean {
  return !dryRun.metadata.resourceVersion
}

function mayRecreate(task: Task, target: Target, live: KubeObject): boolean {
  return task.kustomization.spec.force === true || isForced(target.object, live)
}

/** Nothing may be deleted for an object that could not be created again: a valid one is refused only for its name. */
async function assureCreatable(context: ApplyContext, task: Task, target: Target): Promise<void> {
  try {
    await context.kube.create(target.object, {
      fieldManager: APPLY_FIELD_MANAGER,
      dryRun: true,
      signal: task.signal,
    })
  } catch (error) {
    if (!(error instanceof KubeApiError) || error.reason !== 'AlreadyExists') throw error
  }
}
