import { isDeepStrictEqual } from 'node:util'
import { type ArtifactMessage, artifactMessage } from '@setpoint/contracts'
import type { SourceContext, Task } from './context.ts'
import type { Known } from './known.ts'
import { logKey } from './log-key.ts'
import { subjectOf, toMessage } from './message.ts'
import type { Fetched, Surprise } from './source-kind.ts'
import { type SourceState, STATE_FORMAT } from './state.ts'
import { assureStored } from './storage/assure.ts'
import { ARTIFACT_BUCKET } from './storage/bucket.ts'
import { type Encoded, encodeTree, named } from './storage/encode.ts'
import { encodeBlobs, forgetBase } from './storage/recall.ts'
import { removeRecords } from './storage/records.ts'

/** Tells the world about a tree, first the bus, then the disk. @throws BusError, ArtifactError or a disk's error */
export async function publishTree(context: SourceContext, task: Task, fetched: Fetched): Promise<void> {
  const { known } = task
  const encoded = await encodeTree(context.packs, known, fetched.listing)
  const tree = await store(context, encoded, fetched.archive)
  const state: SourceState = { ...fetched.state, format: STATE_FORMAT, tree }
  const { uid } = known
  if (!known.published) await assureStored(context, { uid, base: encoded.base, state }, encoded.snapshot)
  await context.bus.publish(
    artifactMessage,
    subjectOf(context, task.object),
    toMessage(context, task, state),
    {
      traceId: task.traceId,
    },
  )
  task.log.info({ revision: state.revision, digest: tree.digest, traceId: task.traceId }, 'published')
  if (fetched.surprise !== undefined) tellSurprise(context, task, fetched.surprise)
  recordFetch(context, task, state)
  const { blobs, count, bytes } = fetched.listing
  const { base, changes, carried: fresh } = encoded
  Object.assign(known, { state, base, fresh, blobs, listed: { changes, count, bytes }, published: true })
  await persist(context, known, encoded)
}

function recordFetch({ tracing, now }: SourceContext, task: Task, { revision, tree }: SourceState): void {
  tracing.record({
    name: 'source.fetch',
    traceId: task.traceId,
    startMs: task.startedAt,
    endMs: now(),
    attributes: { [logKey(task.object)]: task.key, revision, files: tree.files },
  })
}

/** What was said to stay has changed: somebody may want to know. */
function tellSurprise(context: SourceContext, task: Task, { reason, message }: Surprise): void {
  task.log.warn({ reason, message }, 'the source changed in an unusual way')
  context.events.record(task.object, { severity: 'error', reason, message, traceId: task.traceId })
}

/** Sends what is known again when the stream holds something else. Looks once, and again when that was put in doubt. */
export async function assurePublished(context: SourceContext, task: Task): Promise<void> {
  const { known } = task
  if (known.published || known.state === undefined) return
  const message = toMessage(context, task, known.state)
  const last = await context.bus.last(artifactMessage, subjectOf(context, task.object))
  await assureStored(context, known)
  if (!isDeepStrictEqual(last?.data, message)) {
    await context.bus.publish(artifactMessage, subjectOf(context, task.object), message, {
      traceId: task.traceId,
    })
    task.log.info({ revision: message.revision }, 'published again')
  }
  known.published = true
}

/** Says that the source is gone. What only it had stored is swept up later. */
export async function publishGone(context: SourceContext, task: Task): Promise<void> {
  const { namespace = '', name, uid = '' } = task.object.metadata
  const { kind } = context.kind.gvk
  const gone: ArtifactMessage = { kind, namespace, name, uid, revision: '', url: '' }
  await context.bus.publish(artifactMessage, subjectOf(context, task.object), gone, { traceId: task.traceId })
  await removeRecords(context, uid)
}

/** The snapshot, and an archive that cannot be made of the files, so that other replicas can serve it, too. */
async function store(
  { bus, packs }: SourceContext,
  { tree, snapshot }: Encoded,
  archive: Uint8Array | undefined,
): Promise<SourceState['tree']> {
  const options = { storedSince: packs.safeSince() }
  if (snapshot !== undefined)
    await bus.bytes.put(ARTIFACT_BUCKET, tree.snapshot.object ?? '', snapshot, options)
  if (archive === undefined) return tree
  const stored = named('archive', archive)
  await bus.bytes.put(ARTIFACT_BUCKET, stored.object ?? '', archive, options)
  return { ...tree, archive: stored }
}

async function persist(context: SourceContext, known: Known, { snapshot }: Encoded): Promise<void> {
  const { uid, state } = known
  if (state === undefined) return
  try {
    if (snapshot !== undefined) {
      await context.states.saveBytes(uid, 'snapshot', snapshot)
      await context.states.saveBytes(uid, 'blobs', encodeBlobs(known.blobs))
    }
    await context.states.save(uid, state)
  } catch (error) {
    // What the disk holds is behind what the bus was told: the next run starts anew.
    if (snapshot !== undefined) forgetBase(known)
    throw error
  }
}
