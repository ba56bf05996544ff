import { isDeepStrictEqual } from 'node:util'
import { findCondition, timestamp } from '@setpoint/conditions'
import {
  GIT_REPOSITORY,
  type ImagePolicy,
  type ImageReference,
  type ImageUpdateAutomation,
  imageCommitMessage,
  parseInterval,
  subjects,
} from '@setpoint/contracts'
import {
  byMarker,
  commitMessage,
  compileMessage,
  type FileChange,
  imagesOf,
  type MarkerMemory,
  policiesOf,
  type Target,
} from '@setpoint/image-update'
import { jitter, type Result } from '@setpoint/reconcile'
import type { ImageContext, Task } from '../context.ts'
import { settle, settleFailure } from '../settle.ts'
import type { Contest } from './contest.ts'
import { Outdated } from './outdated.ts'
import { readRemote } from './remote.ts'
import { signerOf } from './signer.ts'
import { fetchPushed, type Written, write } from './write.ts'
import { targetOf } from './writer-of.ts'

/** A scan or a choice takes less; what it changes starts the next run at once. */
const LOOK_AGAIN_MS = 10_000

const MAX_TOLD_CHANGES = 100

type AutomationTask = Task<ImageUpdateAutomation>

/** What is remembered from run to run. */
export interface WriterMemory {
  markers: MarkerMemory
  contest: Contest
}

/** One automation with everything that it wants of its repository. */
interface Part {
  task: AutomationTask
  target: Target
  policies: readonly ImagePolicy[]
  /** Those that they chose, for the status. */
  images: Record<string, ImageReference>
}

/** One run over all automations that write to one branch. Those with the same settings are one commit. */
export async function runWriter(
  context: ImageContext,
  tasks: readonly AutomationTask[],
  memory: WriterMemory,
): Promise<Result> {
  const results: Result[] = []
  const groups = new Map<string, Part[]>()
  for (const task of tasks) {
    const part = await prepare(context, task, results)
    if (part === undefined) continue
    const key = JSON.stringify([
      task.object.metadata.namespace,
      task.object.spec.git,
      part.target.source.metadata.uid,
    ])
    groups.set(key, [...(groups.get(key) ?? []), part])
  }
  for (const parts of groups.values()) results.push(...(await runGroup(context, parts, memory)))
  return soonest(results)
}

async function prepare(
  context: ImageContext,
  task: AutomationTask,
  results: Result[],
): Promise<Part | undefined> {
  if (task.object.spec.suspend === true) {
    await settle(context, task, { outcome: 'suspended' })
    return undefined
  }
  try {
    const target = targetOf(context, task.object)
    compileMessage(task.object.spec.git?.commit.messageTemplate)
    const policies = policiesOf(task.object, context.policies.list())
    return { task, target, policies, images: imagesOf(policies) }
  } catch (error) {
    results.push(await settleFailure(context, task, error, intervalOf(task)))
    return undefined
  }
}

async function runGroup(
  context: ImageContext,
  parts: readonly Part[],
  memory: WriterMemory,
): Promise<Result[]> {
  const [first] = parts
  const git = first?.task.object.spec.git
  if (first === undefined || git === undefined) return []
  const { task, target } = first
  try {
    const remote = await readRemote(context, target.source, task.signal)
    const wish = {
      ...target,
      url: target.source.spec.url,
      git,
      parts: parts.map(({ task: { object }, policies }) => ({
        path: object.spec.update?.path,
        images: byMarker(policies),
      })),
      lastPushCommit: task.object.status?.lastPushCommit,
      message: (changes: readonly FileChange[]) => commitMessage(task.object, changes),
      sign: await signerOf(context, task.object.metadata.namespace ?? '', git, task.signal),
    }
    const written = await write(context, wish, remote, { ...memory, signal: task.signal, log: task.log })
    if (written.commit !== undefined || parts.some(hasNews)) hintSources(context, wish.url)
    const results = await Promise.all(parts.map((part) => settleWritten(context, part, written)))
    if (written.commit !== undefined) await fetchPushed(context, wish, remote)
    return results
  } catch (error) {
    if (error instanceof Outdated) {
      task.log.info({ branch: target.branch }, 'Git knows of an image that was not seen yet; looking again')
      return [{ requeueAfterMs: LOOK_AGAIN_MS, priority: 'normal' }]
    }
    return Promise.all(parts.map((part) => settleFailure(context, part.task, error, intervalOf(part.task))))
  }
}

async function settleWritten(
  context: ImageContext,
  { task, target, images }: Part,
  written: Written,
): Promise<Result> {
  const before = task.object
  const pushed = pushOf(before, images, written)
  await settle(
    context,
    task,
    {
      outcome: 'ready',
      message: 'repository up-to-date',
      fields: {
        lastAutomationRunTime: timestamp(context.now()),
        observedPolicies: images,
        observedSourceRevision: `${target.branch}@sha1:${written.commit ?? written.base}`,
        ...(pushed === undefined
          ? {}
          : { lastPushCommit: pushed.commit, lastPushTime: timestamp(pushed.timeMs ?? context.now()) }),
      },
    },
    ['lastAutomationRunTime', 'observedSourceRevision'],
  )
  tell(context, task, before, target, written)
  return { requeueAfterMs: jitter(intervalOf(task)) }
}

/** What was pushed for the images; also by a process that was killed before it could write the status. */
function pushOf(
  { spec, status }: ImageUpdateAutomation,
  images: Record<string, ImageReference>,
  { commit, base, baseAuthor, baseTime }: Written,
): { commit: string; timeMs?: number } | undefined {
  if (commit !== undefined) return { commit }
  const author = spec.git?.commit.author
  const isOurs = baseAuthor === (author?.name || author?.email)
  const isBehind =
    status?.observedPolicies !== undefined && !isDeepStrictEqual(status.observedPolicies, images)
  return isOurs && isBehind && status?.lastPushCommit !== base
    ? { commit: base, timeMs: baseTime }
    : undefined
}

function tell(
  context: ImageContext,
  task: AutomationTask,
  before: ImageUpdateAutomation,
  target: Target,
  written: Written,
): void {
  const { branch } = target
  const common = {
    traceId: task.traceId,
    metadata: { revision: `${branch}@sha1:${written.commit ?? written.base}` },
  }
  if (written.problems.length > 0) {
    const message = `some markers could not be obeyed:\n${written.problems.slice(0, 50).join('\n')}`
    context.events.record(task.object, { ...common, severity: 'error', reason: 'UpdateFailed', message })
  }
  if (written.commit !== undefined) {
    const lines = written.changes.map(({ path, oldValue, newValue }) => `${path}: ${oldValue} -> ${newValue}`)
    const message = `pushed commit '${written.commit}' to branch '${branch}'\n${written.message}\n${[...new Set(lines)].join('\n')}`
    context.events.record(task.object, { ...common, severity: 'info', reason: 'Succeeded', message })
    announce(context, task, target, written)
    task.log.info({ commit: written.commit, branch, files: written.files.size }, 'pushed a commit')
  } else if (findCondition(before.status?.conditions, 'Ready')?.status === 'False') {
    context.events.record(task.object, {
      ...common,
      severity: 'info',
      reason: 'Succeeded',
      message: 'repository up-to-date',
    })
  }
}

function announce(
  { announcer }: ImageContext,
  { object, traceId }: AutomationTask,
  { source, branch }: Target,
  { commit = '', base, changes }: Written,
): void {
  const { namespace = '', name, uid = '' } = object.metadata
  const key = { namespace, name }
  const told = changes
    .slice(0, MAX_TOLD_CHANGES)
    .map(({ path, oldValue, newValue }) => ({ path, oldValue, newValue }))
  const from = { namespace: source.metadata.namespace ?? '', name: source.metadata.name }
  const data = { ...key, uid, source: from, branch, commit, parent: base, changes: told }
  announcer.say(imageCommitMessage, subjects.image('commit', key), data, traceId)
}

/** Other images than in the last status: a process that was killed may have pushed them. */
function hasNews({ task, images }: Part): boolean {
  return !isDeepStrictEqual(task.object.status?.observedPolicies, images)
}

/** Every source of the repository looks at once, so that the commit is live at once. */
function hintSources(context: ImageContext, url: string): void {
  for (const { metadata, spec } of context.sources.list())
    if (spec.url === url)
      context.bus.hint(
        { kind: GIT_REPOSITORY.kind, namespace: metadata.namespace ?? '', name: metadata.name },
        { requestedBy: 'image-automation' },
      )
}

const intervalOf = ({ object }: AutomationTask): number => parseInterval(object.spec.interval)

function soonest(results: readonly Result[]): Result {
  return results.reduce<Result>((first, next) => {
    if (first === undefined || next === undefined) return first ?? next
    return next.requeueAfterMs < first.requeueAfterMs ? next : first
  }, undefined)
}
