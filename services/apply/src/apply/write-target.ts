import { APPLY_FIELD_MANAGER } from '@setpoint/contracts'
import { type JsonPatchOperation, KubeApiError } from '@setpoint/kube'
import { describeRef, gvkOf, type KubeObject } from '@setpoint/manifest'
import { ReconcileError } from '@setpoint/reconcile'
import type { ApplyContext, Task } from '../context.ts'
import { type Check, checkTarget } from './check-target.ts'
import type { Target } from './target.ts'

/** How an object was left. */
export type Action = 'created' | 'configured' | 'unchanged' | 'skipped'

export interface Change {
  target: Target
  action: Action
  /** The live object after it, or its metadata alone; undefined when there is none and none was to be made. */
  live: KubeObject | undefined
}

const MAX_CONFLICTS = 5
const RECREATE_TIMEOUT_MS = 60_000

/** Does what a check has found necessary. */
export async function writeTarget(context: ApplyContext, task: Task, check: Check): Promise<Change> {
  const { target } = check
  task.known.contested.delete(target.id)
  task.known.tolerated.delete(target.id)
  switch (check.action) {
    case 'leave':
      return { target, action: 'skipped', live: check.live }
    case 'yield':
      noteContest(context, task, check)
      return { target, action: 'skipped', live: undefined }
    case 'tolerate':
      task.known.tolerated.set(target.id, check.report)
      if (check.live === undefined) context.memory.drop(task.key, task.known, target.id)
      return { target, action: 'unchanged', live: check.live }
    case 'none':
      return { target, action: 'unchanged', live: check.live }
    case 'create':
      return { target, action: 'created', live: await apply(context, task, target.object) }
    case 'recreate':
      await deleteAndWait(context, task, target, check.live)
      return { target, action: 'created', live: await apply(context, task, target.object) }
    case 'configure':
      return configure(context, task, check)
  }
}

/** Another Kustomization declares the object and holds it: two that overwrite each other help nobody. */
function noteContest(
  context: ApplyContext,
  { key, known }: Task,
  { target, holder, differs }: Extract<Check, { action: 'yield' }>,
): void {
  context.memory.drop(key, known, target.id)
  context.contests.await(key, holder)
  known.contested.set(target.id, { object: describeRef(target.ref), holder, differs })
}

async function configure(
  context: ApplyContext,
  task: Task,
  check: Extract<Check, { action: 'configure' }>,
  attempt = 1,
): Promise<Change> {
  const { target, takeOver, desired } = check
  try {
    const { resourceVersion } = (
      takeOver === undefined ? check.live : await patch(context, task, target, takeOver)
    ).metadata
    // Written only over what was looked at: values that were read are still true, and a request that was on its way while
    // another replica took over does not bring back what is older.
    const written = { ...desired, metadata: { ...desired.metadata, resourceVersion } }
    return { target, action: 'configured', live: await apply(context, task, written as KubeObject) }
  } catch (error) {
    if (!(error instanceof KubeApiError) || error.code !== 409 || attempt === MAX_CONFLICTS) throw error
    const again = await checkTarget(context, task, target)
    if (again.action !== 'configure') return writeTarget(context, task, again)
    return configure(context, task, again, attempt + 1)
  }
}

function patch(
  context: ApplyContext,
  task: Task,
  { object, ref }: Target,
  operations: JsonPatchOperation[],
): Promise<KubeObject> {
  return context.kube.jsonPatch(gvkOf(object), ref, operations, {
    fieldManager: APPLY_FIELD_MANAGER,
    signal: task.signal,
  })
}

function apply(context: ApplyContext, task: Task, object: KubeObject): Promise<KubeObject> {
  return context.kube.apply(object, {
    fieldManager: APPLY_FIELD_MANAGER,
    metadataOnly: true,
    signal: task.signal,
  })
}

async function deleteAndWait(
  context: ApplyContext,
  task: Task,
  target: Target,
  live: KubeObject,
): Promise<void> {
  const gvk = gvkOf(target.object)
  const { uid } = live.metadata
  await context.kube.delete(gvk, target.ref, {
    ...(uid === undefined ? {} : { uid }),
    propagationPolicy: 'Background',
    signal: task.signal,
  })
  const deadline = context.now() + RECREATE_TIMEOUT_MS
  for (let pauseMs = 20; context.now() < deadline; pauseMs = Math.min(pauseMs * 2, 1_000)) {
    const left = await context.kube.get(gvk, target.ref, { metadataOnly: true, signal: task.signal })
    if (left === undefined || left.metadata.uid !== uid) return
    await pause(pauseMs, task)
  }
  throw new ReconcileError(
    'ReconciliationFailed',
    `${describeRef(target.ref)} was deleted to be recreated, but is not gone after ${RECREATE_TIMEOUT_MS / 1000} s; look at its finalizers`,
  )
}

/** Waits; ends early, with the reason of the signal, when the run is aborted or a newer set is there. */
export async function pause(
  ms: number,
  { signal, superseded }: Pick<Task, 'signal' | 'superseded'>,
): Promise<void> {
  const either = AbortSignal.any([signal, superseded])
  either.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const abort = () => reject(either.reason)
  either.addEventListener('abort', abort, { once: true })
  await promise.finally(() => {
    clearTimeout(timer)
    either.removeEventListener('abort', abort)
  })
}
