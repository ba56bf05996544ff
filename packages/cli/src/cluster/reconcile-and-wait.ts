import { type Kustomization, REQUESTED_AT_ANNOTATION } from '@setpoint/contracts'
import type { CommandContext } from '../command.ts'
import { CommandError } from '../errors.ts'
import type { ManagedKind } from './kinds.ts'
import { getManaged, type ManagedObject, readyOf, revisionOf, shortRevision } from './managed-object.ts'
import { waitForObject } from './wait-for-object.ts'

const FIELD_MANAGER = 'setpoint-cli'

export interface ReconcileRequest {
  kind: ManagedKind
  key: { namespace: string; name: string }
  /** Only a result at this revision counts; any when absent or ''. */
  revision?: string
}

/**
 * Asks for a reconciliation by Flux's annotation and waits until its result is known. Returns the object when it
 * is Ready, undefined when --no-wait was given.
 * @throws CommandError when it is suspended, ends not Ready, or does not end in time.
 */
export async function reconcileAndWait(
  context: CommandContext,
  request: ReconcileRequest,
): Promise<ManagedObject | undefined> {
  const { kind, key } = request
  const kube = await context.kube()
  const before = await getManaged(kube, kind, key)
  if (before.spec.suspend)
    throw new CommandError(`${kind.singular} "${key.name}" is suspended; "setpoint resume" it first`)
  const requestedAt = new Date(context.now()).toISOString()
  const patch = { metadata: { annotations: { [REQUESTED_AT_ANNOTATION]: requestedAt } } }
  await kube.mergePatch(kind.ref, key, patch, { fieldManager: FIELD_MANAGER })
  progress(context, `asked for ${kind.singular} "${key.name}" in namespace "${key.namespace}"`)
  if (context.flags.has('no-wait')) return undefined
  return waitUntilReady(context, request, (object) => object.status?.lastHandledReconcileAt === requestedAt)
}

/** Waits for the result of a run that `handled` recognises, and says how it ended. */
export async function waitUntilReady(
  context: CommandContext,
  { kind, key, revision }: ReconcileRequest,
  handled: (object: ManagedObject) => boolean,
): Promise<ManagedObject> {
  const kube = await context.kube()
  let last: ManagedObject | undefined
  const ended = await waitForObject(kube, {
    kind,
    key,
    timeoutMs: context.flags.durationMs('timeout'),
    signal: context.signal,
    what: 'was not done',
    onChange(object) {
      if (context.flags.has('watch')) tellConditions(context, object, last)
      last = object
    },
    until: (object) =>
      handled(object) && atRevision(object, revision) && isSettled(object) ? object : undefined,
  }).catch((error) => {
    throw withLastState(error, last)
  })
  const ready = readyOf(ended)
  if (ready?.status !== 'True')
    throw new CommandError(`${kind.singular} "${key.name}" is not ready: ${ready?.reason}: ${ready?.message}`)
  progress(context, `${kind.singular} "${key.name}" is ready: ${shortRevision(revisionOf(ended))}`)
  return ended
}

/** Ready is True or False, not on its way; and it speaks of the present spec. */
export function isSettled(object: ManagedObject): boolean {
  const ready = readyOf(object)
  if (ready === undefined || ready.status === 'Unknown') return false
  const generation = object.metadata.generation ?? 0
  return (ready.observedGeneration ?? generation) >= generation
}

/** A Kustomization may have been handled just before the new revision reached it. */
function atRevision(object: ManagedObject, revision: string | undefined): boolean {
  if (revision === undefined || revision === '' || object.kind !== 'Kustomization') return true
  return (object as unknown as Kustomization).status?.lastAttemptedRevision === revision
}

function tellConditions(
  context: CommandContext,
  object: ManagedObject,
  last: ManagedObject | undefined,
): void {
  const seen = new Set((last?.status?.conditions ?? []).map((condition) => JSON.stringify(condition)))
  for (const condition of object.status?.conditions ?? []) {
    if (seen.has(JSON.stringify(condition))) continue
    progress(
      context,
      `${object.metadata.name}: ${condition.type}=${condition.status} ${condition.reason}: ${condition.message}`,
    )
  }
}

function withLastState(error: unknown, last: ManagedObject | undefined): unknown {
  const ready = last === undefined ? undefined : readyOf(last)
  if (!(error instanceof CommandError) || ready === undefined) return error
  return new CommandError(`${error.message}; last: Ready=${ready.status}: ${ready.reason}: ${ready.message}`)
}

/** Progress goes to standard error, so that standard output stays for results. */
export function progress({ io }: CommandContext, line: string): void {
  io.stderr.write(`${line}\n`)
}
