import {
  KUSTOMIZATION,
  KUSTOMIZATION_FIELD_MANAGER,
  type Kustomization,
  type OutcomeMessage,
} from '@setpoint/contracts'
import { KubeApiError, type RequestOptions } from '@setpoint/kube'
import type { ApplyContext, Task } from './context.ts'
import { inventoryDigest, inventoryOf } from './inventory.ts'
import { nextStatus, statusPatch } from './status/next-status.ts'
import type { Settlement } from './status/settlement.ts'

const MAX_CONFLICTS = 5
/** For how long a run that was given up may try to say so. */
const LAST_WORD_MS = 5_000

/** The Kustomization is gone, or another one has its name now: there is nothing left to write a status to. */
export class KustomizationGone extends Error {
  override name = 'KustomizationGone'
}

/**
 * The one place that writes a Kustomization's status: a single merge patch, computed from the object as it is, and only
 * when it changes something.
 */
export async function settle(context: ApplyContext, task: Task, settlement: Settlement): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { kustomization, generation } = task
    const said = { ...settlement, notices: task.notices }
    const after = nextStatus(kustomization, said, { generation, nowMs: context.now() })
    const patch = statusPatch(kustomization.status, after)
    if (patch === undefined) return
    try {
      task.kustomization = await writeStatus(context, task, patch)
      return
    } catch (error) {
      if (!(error instanceof KubeApiError) || attempt === MAX_CONFLICTS) throw error
      if (error.code !== 404 && error.code !== 409) throw error
      task.kustomization = await readLive(context, task)
    }
  }
}

async function writeStatus(
  context: ApplyContext,
  task: Task,
  status: Record<string, unknown>,
): Promise<Kustomization> {
  const { metadata } = task.kustomization
  const { resourceVersion } = metadata
  const written = await context.home.mergePatch(
    KUSTOMIZATION,
    metadata,
    { metadata: { resourceVersion }, status },
    { fieldManager: KUSTOMIZATION_FIELD_MANAGER, subresource: 'status', ...patienceOf(task) },
  )
  return context.kustomizations.wrote(written)
}

/** A request about the Kustomization itself ends with its run, so that nobody waits for it where the network is dead. */
export function patienceOf({ signal }: Pick<Task, 'signal'>): RequestOptions {
  return signal.aborted ? { timeoutMs: LAST_WORD_MS } : { signal }
}

/** @throws KustomizationGone when it is not the same object any more. */
export async function readLive(context: ApplyContext, task: Task): Promise<Kustomization> {
  const { metadata } = task.kustomization
  const live = await context.home.get(KUSTOMIZATION, metadata, patienceOf(task))
  if (live === undefined || live.metadata.uid !== metadata.uid)
    throw new KustomizationGone(`Kustomization ${task.key} is gone`)
  return context.kustomizations.wrote(live)
}

/** Tells dependants, the console and notifications how the run ended. */
export function publishOutcome(
  context: ApplyContext,
  task: Task,
  settlement: Settlement,
  timingsMs: Record<string, number>,
): void {
  const { kustomization, rendering, key } = task
  const { ready, healthy } = settlement
  if (ready === undefined) return
  const outcome: OutcomeMessage = {
    namespace: kustomization.metadata.namespace ?? '',
    name: kustomization.metadata.name,
    uid: kustomization.metadata.uid ?? '',
    generation: task.generation,
    revision: settlement.attemptedRevision ?? rendering?.message.revision ?? '',
    ready: ready.status,
    ...(healthy ? { healthy: healthy.status } : {}),
    reason: ready.reason,
    message: ready.message,
    inventoryDigest: inventoryDigest(settlement.inventory ?? inventoryOf(kustomization)),
    timingsMs,
  }
  context.outcomes.publish(key, outcome, rendering?.traceId)
}
