import { findCondition } from '@setpoint/conditions'
import {
  formatImage,
  type ImagePolicy,
  type ImageReference,
  type ImageRepository,
  imageChoiceMessage,
  parseDuration,
  parseInterval,
  subjects,
} from '@setpoint/contracts'
import { compilePolicy } from '@setpoint/image-policy'
import { jitter, ReconcileError, type Result, Stalled } from '@setpoint/reconcile'
import { parseImageName } from '@setpoint/registry'
import type { ImageContext, Task } from '../context.ts'
import { readAccess } from '../scan/registry-access.ts'
import { settle, settleFailure } from '../settle.ts'
import { allows } from './access-from.ts'

const WAIT_MS = 30_000
const RETRY_MS = 60 * 60_000

/** One run over one ImagePolicy: from the tags that were found to the image that shall run. */
export async function choose(context: ImageContext, task: Task<ImagePolicy>): Promise<Result> {
  const { spec } = task.object
  if (spec.suspend === true) {
    await settle(context, task, { outcome: 'suspended' })
    return undefined
  }
  const intervalMs = spec.interval === undefined ? RETRY_MS : parseInterval(spec.interval)
  try {
    const policy = compilePolicy(spec)
    const repository = await repositoryOf(context, task.object)
    const found = context.tags.get(keyOfReference(task.object))
    if (found === undefined || found.uid !== repository.metadata.uid)
      return waitForScan(task.object, repository)
    const { chosen, problem } = policy.judge(found.tags)
    if (chosen === undefined) throw new ReconcileError('Failure', problem ?? 'no tag fits the policy')
    const latest = await withDigest(context, task, repository, { name: repository.spec.image, tag: chosen })
    await settleChosen(context, task, latest)
    return spec.digestReflectionPolicy === 'Always' ? { requeueAfterMs: jitter(intervalMs) } : undefined
  } catch (error) {
    return settleFailure(context, task, error, intervalMs)
  }
}

/** `namespace/name` of the ImageRepository that a policy chooses from. */
export function keyOfReference({ metadata, spec }: ImagePolicy): string {
  const { namespace, name } = spec.imageRepositoryRef
  return `${namespace || metadata.namespace}/${name}`
}

async function repositoryOf(context: ImageContext, policy: ImagePolicy): Promise<ImageRepository> {
  const key = keyOfReference(policy)
  const own = policy.metadata.namespace ?? ''
  const isForeign = !key.startsWith(`${own}/`)
  if (isForeign && !context.allowCrossNamespace)
    throw new Stalled(
      'AccessDenied',
      `ImageRepository "${key}" is in another namespace, which --no-cross-namespace-refs forbids`,
    )
  const repository = context.repositories.get(key)
  if (repository === undefined)
    throw new ReconcileError('DependencyNotReady', `ImageRepository "${key}" does not exist`, {
      retryAfterMs: WAIT_MS,
    })
  if (isForeign && !(await allows(context, repository, own)))
    throw new ReconcileError(
      'AccessDenied',
      `ImageRepository "${key}" does not let namespace "${own}" in; see its spec.accessFrom`,
      { retryAfterMs: WAIT_MS },
    )
  return repository
}

/** A process that has just started will scan in a moment: what is in the status stays until then. */
function waitForScan(policy: ImagePolicy, { status }: ImageRepository): Result {
  if (status?.lastScanResult !== undefined && policy.status?.latestRef !== undefined)
    return { requeueAfterMs: WAIT_MS }
  const message = `ImageRepository "${keyOfReference(policy)}" has not been scanned yet`
  throw new ReconcileError('DependencyNotReady', message, { retryAfterMs: WAIT_MS })
}

/** The digest, as far as the policy wants it: once for a tag, or again with every look. */
async function withDigest(
  context: ImageContext,
  { object, signal }: Task<ImagePolicy>,
  repository: ImageRepository,
  image: ImageReference,
): Promise<ImageReference> {
  const wanted = object.spec.digestReflectionPolicy ?? 'Never'
  if (wanted === 'Never') return image
  const before = object.status?.latestRef
  const isSame = before?.name === image.name && before.tag === image.tag && before.digest !== undefined
  if (wanted === 'IfNotPresent' && isSame) return before
  const name = parseImageName(repository.spec.image)
  const call = { timeoutMs: parseDuration(repository.spec.timeout ?? repository.spec.interval), signal }
  const access = await readAccess(context, repository, name, call)
  return { ...image, digest: await context.registry.resolveDigest(name, image.tag, access, call) }
}

async function settleChosen(
  context: ImageContext,
  task: Task<ImagePolicy>,
  latestRef: ImageReference,
): Promise<void> {
  const before = task.object
  const old = before.status?.latestRef
  const isNews = old === undefined || formatImage(old) !== formatImage(latestRef)
  const previous = isNews ? old : before.status?.observedPreviousRef
  await settle(context, task, {
    outcome: 'ready',
    message: messageOf(latestRef, previous),
    fields: { latestRef, ...(previous === undefined ? {} : { observedPreviousRef: previous }) },
  })
  tell(context, task, latestRef, previous)
  const wasBroken = findCondition(before.status?.conditions, 'Ready')?.status === 'False'
  if (!isNews && !wasBroken) return
  const isMoved =
    isNews && old?.tag === latestRef.tag && old.name === latestRef.name && old.digest !== undefined
  const message = isMoved
    ? `tag ${latestRef.name}:${latestRef.tag} was moved from ${old.digest} to ${latestRef.digest ?? 'no digest'}`
    : messageOf(latestRef, isNews ? old : undefined)
  const reason = isMoved ? 'TagMoved' : 'Succeeded'
  context.events.record(task.object, { severity: 'info', reason, message, traceId: task.traceId })
}

function tell(
  { announcer }: ImageContext,
  { object, traceId }: Task<ImagePolicy>,
  image: ImageReference,
  previous: ImageReference | undefined,
): void {
  const { namespace = '', name, uid = '' } = object.metadata
  const key = { namespace, name }
  const data = { ...key, uid, image, ...(previous === undefined ? {} : { previous }) }
  announcer.say(imageChoiceMessage, subjects.image('choice', key), data, traceId)
}

function messageOf({ name, tag, digest }: ImageReference, previous: ImageReference | undefined): string {
  const what = `Latest image tag for ${name} resolved to ${tag}${digest === undefined ? '' : ` with digest ${digest}`}`
  return previous === undefined ? what : `${what} (previously ${formatImage(previous)})`
}
