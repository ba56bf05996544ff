import { findCondition, timestamp } from '@setpoint/conditions'
import {
  DEFAULT_EXCLUSION_LIST,
  type ImageRepository,
  type ImageScanMessage,
  imageScanMessage,
  parseDuration,
  parseInterval,
  subjects,
} from '@setpoint/contracts'
import { compilePatterns, PolicyError } from '@setpoint/image-policy'
import { jitter, type Result, Stalled } from '@setpoint/reconcile'
import { parseImageName } from '@setpoint/registry'
import type { ImageContext, Task } from '../context.ts'
import { settle, settleFailure } from '../settle.ts'
import { checksumOf } from './checksum.ts'
import { readAccess } from './registry-access.ts'

const SHOWN_TAGS = 10

/** One run over one ImageRepository: its tags, from the registry into memory and status. */
export async function scan(context: ImageContext, task: Task<ImageRepository>): Promise<Result> {
  const { spec } = task.object
  const intervalMs = parseInterval(spec.interval)
  if (spec.suspend === true) {
    await settle(context, task, { outcome: 'suspended' })
    return undefined
  }
  try {
    const image = parseImageName(spec.image)
    const excluded = compileExclusions(spec.exclusionList ?? [...DEFAULT_EXCLUSION_LIST])
    const timeoutMs = spec.timeout === undefined ? intervalMs : parseDuration(spec.timeout)
    const call = { timeoutMs, signal: task.signal }
    const access = await readAccess(context, task.object, image, call)
    const all = await context.registry.listTags(image, access, call)
    const tags = all.filter((tag) => !excluded(tag)).sort()
    await settleScanned(context, task, image.canonical, tags)
    return { requeueAfterMs: jitter(intervalMs) }
  } catch (error) {
    return settleFailure(context, task, error, intervalMs)
  }
}

async function settleScanned(
  context: ImageContext,
  task: Task<ImageRepository>,
  canonicalImageName: string,
  tags: readonly string[],
): Promise<void> {
  const before = task.object
  const revision = checksumOf(tags)
  context.metrics.scanned(tags.length)
  const time = context.now()
  const known = context.tags.get(task.key)
  const message = `successful scan: found ${tags.length} tags with checksum ${revision}`
  const isNews = before.status?.lastScanResult?.revision !== revision
  const lastScanResult = {
    revision,
    tagCount: tags.length,
    scanTime: isNews ? timestamp(time) : (before.status?.lastScanResult?.scanTime ?? timestamp(time)),
    latestTags: tags.slice(-SHOWN_TAGS).reverse(),
  }
  const observedExclusionList = before.spec.exclusionList ?? [...DEFAULT_EXCLUSION_LIST]
  await settle(context, task, {
    outcome: 'ready',
    message,
    fields: { canonicalImageName, lastScanResult, observedExclusionList },
  })
  // Not before: a scan that is done again because its status could not be written must find its tags to be news.
  context.tags.set(task.key, { uid: before.metadata.uid ?? '', tags, revision, time })
  if (known?.revision !== revision || known.uid !== before.metadata.uid) context.tagsChanged(task.key)
  tell(context, task, {
    image: canonicalImageName,
    revision,
    tagCount: tags.length,
    latestTags: lastScanResult.latestTags,
  })
  const wasBroken = findCondition(before.status?.conditions, 'Ready')?.status === 'False'
  if (!isNews && !wasBroken) return
  const event = { severity: 'info', reason: 'Succeeded', message, traceId: task.traceId } as const
  context.events.record(task.object, event)
}

function tell(
  { announcer }: ImageContext,
  { object, traceId }: Task<ImageRepository>,
  found: Pick<ImageScanMessage, 'image' | 'revision' | 'tagCount' | 'latestTags'>,
): void {
  const { namespace = '', name, uid = '' } = object.metadata
  const key = { namespace, name }
  announcer.say(imageScanMessage, subjects.image('scan', key), { ...key, uid, ...found }, traceId)
}

function compileExclusions(patterns: readonly string[]): (tag: string) => boolean {
  try {
    return compilePatterns(patterns, 'spec.exclusionList')
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause
    throw new Stalled('InvalidExclusionList', cause.message, { cause })
  }
}
