import { findCondition } from '@setpoint/conditions'
import {
  KUSTOMIZATION,
  KUSTOMIZATION_FIELD_MANAGER,
  REASON_SUCCEEDED,
  type RenderedSet,
  ROLLBACK_ANNOTATION,
  type Rollback,
  readRollback,
} from '@setpoint/contracts'
import { ReconcileError, Stalled } from '@setpoint/reconcile'
import type { ApplyContext, Task } from './context.ts'
import type { Rendering } from './renderings.ts'
import { type Settlement, succeeded } from './status/settlement.ts'
import { record } from './tell.ts'

/** What a run holds the cluster to. */
export interface Chosen {
  set: RenderedSet
  /** The source revision of the set. */
  revision: string
  /** Why it is not the newest set. */
  rollback?: Rollback
}

/**
 * The newest set, or while a rollback holds, the earlier one. A rollback is over as soon as the source stands for
 * anything else than the build that was rolled back from; its annotation is taken away then.
 */
export async function chooseSet(
  context: ApplyContext,
  task: Task,
  { message: { revision } }: Rendering,
  newest: RenderedSet,
): Promise<Chosen> {
  const rollback = rollbackOf(task)
  if (rollback === undefined) return { set: newest, revision }
  if (rollback.insteadOf !== newest.digest) {
    await endRollback(context, task, rollback)
    return { set: newest, revision }
  }
  return { set: await storedSet(context, task, rollback), revision: rollback.revision, rollback }
}

/** How a run ended that held to a set: while a rollback holds, Ready and the condition `RolledBack` say so. */
export function heldTo(
  { rollback, revision }: Chosen,
  { newestRevision, request }: { newestRevision: string; request: string },
): Settlement {
  const done = { ...succeeded(revision, request), attemptedRevision: newestRevision }
  if (rollback === undefined) return { ...done, rolledBack: null }
  const message = `held at ${revision} instead of ${newestRevision}, until a commit changes what is built or "setpoint resume" is called`
  const ready = {
    status: 'True',
    reason: REASON_SUCCEEDED,
    message: `Applied revision: ${revision}, held by a rollback`,
  } as const
  return { ...done, ready, rolledBack: { reason: 'Rollback', message } }
}

/** Says in an event that a rollback has begun to hold. */
export function tellRollback(context: ApplyContext, task: Task, { rolledBack }: Settlement): void {
  const before = findCondition(task.kustomization.status?.conditions, 'RolledBack')
  if (!rolledBack || before?.message === rolledBack.message) return
  record(context, task, { severity: 'info', reason: 'RolledBack', message: rolledBack.message })
}

function rollbackOf({ kustomization }: Task): Rollback | undefined {
  try {
    return readRollback(kustomization)
  } catch (error) {
    if (error instanceof RangeError) throw new Stalled('RollbackFailed', error.message)
    throw error
  }
}

async function storedSet(
  context: ApplyContext,
  task: Task,
  { digest, revision }: Rollback,
): Promise<RenderedSet> {
  const sealed = await context.sets.find(task.key, digest)
  if (sealed !== undefined) return { digest, objects: 0, sealed }
  throw new ReconcileError(
    'RollbackFailed',
    `the build of ${revision} is not stored any more, so nothing was changed; "setpoint resume" goes on with the newest revision`,
  )
}

async function endRollback(context: ApplyContext, task: Task, { revision }: Rollback): Promise<void> {
  const { resourceVersion } = task.kustomization.metadata
  const patch = { metadata: { resourceVersion, annotations: { [ROLLBACK_ANNOTATION]: null } } }
  const written = await context.home.mergePatch(KUSTOMIZATION, task.kustomization.metadata, patch, {
    fieldManager: KUSTOMIZATION_FIELD_MANAGER,
  })
  task.kustomization = context.kustomizations.wrote(written)
  const message = `a commit ended the rollback to ${revision}`
  record(context, task, { severity: 'info', reason: 'RollbackEnded', message })
}
