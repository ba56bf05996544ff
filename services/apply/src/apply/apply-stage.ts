import { NoMatchError } from '@setpoint/kube'
import { describeRef, type KubeObject } from '@setpoint/manifest'
import type { ApplyContext, Task } from '../context.ts'
import { reportOf, reportOfDeleted } from '../drift/drift-report.ts'
import { afterHeal } from '../drift/fights.ts'
import { fingerprintOf } from '../drift/fingerprint.ts'
import { tolerate } from '../drift/tolerate.ts'
import type { KnownObject } from '../known.ts'
import { inParallel } from '../parallel.ts'
import { wavesOf } from '../plan/order.ts'
import { type Check, checkTarget } from './check-target.ts'
import { isRejection, type Rejection, refuse } from './rejection.ts'
import type { Target } from './target.ts'
import { type Change, writeTarget } from './write-target.ts'

/**
 * Brings the objects of one stage to what is desired. All are checked before the first is written, so that one that is
 * refused leaves the stage untouched; the rest of the stage is reported too.
 * In partial mode the others are applied, and those that were refused are noted.
 * @throws ReconcileError naming every object that was refused.
 */
export async function applyStage(
  context: ApplyContext,
  task: Task,
  targets: readonly Target[],
): Promise<Change[]> {
  context.memory.expect(
    task.key,
    task.known,
    targets.map(({ id }) => id),
  )
  const checks = await checkAll(context, task, targets)
  const changes: Change[] = []
  const rejections: Rejection[] = []
  for (const wave of wavesOf(checks, (check) => check.target.object.kind)) {
    const written = await inParallel(wave, breadthOf(context, task), (check) =>
      write(context, task, check, rejections),
    )
    changes.push(...written.filter((change) => change !== undefined))
  }
  refuse(task, rejections)
  return changes
}

/** An answer that takes longer waits for something, such as a webhook that hangs. */
const SLUGGISH_MS = 5_000

/** A Kustomization whose answers took long last time asks one by one: it must not use up the connection of all others. */
function breadthOf(context: ApplyContext, { wasSluggish }: Task): number {
  return wasSluggish ? 1 : context.parallel
}

async function checkAll(context: ApplyContext, task: Task, targets: readonly Target[]): Promise<Check[]> {
  const rejections: Rejection[] = []
  const checks = await inParallel(targets, breadthOf(context, task), async (target) => {
    try {
      return tolerate(task, await asked(task, target, () => checkTarget(context, task, target)))
    } catch (error) {
      if (!isRejection(error)) throw error
      rejections.push({ target, step: 'dry-run', error })
      return undefined
    }
  })
  refuse(task, rejections)
  return checks.filter((check) => check !== undefined)
}

/** Says of what an answer is waited for, and notes when answers take long. */
async function asked<T>({ known, underWay }: Task, { ref }: Target, ask: () => Promise<T>): Promise<T> {
  const name = describeRef(ref)
  underWay.add(name)
  const slow = setTimeout(() => {
    known.sluggish = true
  }, SLUGGISH_MS)
  try {
    const answer = await ask()
    underWay.delete(name)
    return answer
  } catch (error) {
    if (isRejection(error)) underWay.delete(name)
    throw error
  } finally {
    clearTimeout(slow)
  }
}

async function write(
  context: ApplyContext,
  task: Task,
  check: Check,
  rejections: Rejection[],
): Promise<Change | undefined> {
  try {
    const change = await asked(task, check.target, () => writeTarget(context, task, check))
    noteFight(context, task, check, change)
    remember(context, task, change)
    return change
  } catch (error) {
    if (!isRejection(error) || error instanceof NoMatchError) throw error
    rejections.push({ target: check.target, step: 'apply', error })
    return undefined
  }
}

/** An object that was in place and had to be brought back: somebody may be fighting over it. */
function noteFight(context: ApplyContext, { known }: Task, check: Check, { target, action }: Change): void {
  const wasInPlace = known.objects.get(target.id)?.hash === target.hash
  if (!wasInPlace || (action !== 'created' && action !== 'configured')) return
  const report =
    check.action === 'configure' ? reportOf(target, check.live, check.answer) : reportOfDeleted(target)
  known.fights.set(target.id, afterHeal(known.fights.get(target.id), report, context.now()))
}

function remember(context: ApplyContext, task: Task, { target, live }: Change): void {
  if (live === undefined) return
  if (context.memory.remember(task.key, task.known, target.id, knownObject(target, live)))
    task.overtaken = true
}

function knownObject(target: Target, { metadata }: KubeObject): KnownObject {
  return {
    ref: target.ref,
    version: target.version,
    hash: target.hash,
    fingerprint: fingerprintOf(metadata),
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
  }
}
