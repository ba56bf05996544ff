import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import {
  decodeSnapshot,
  encodeDelta,
  encodeSnapshot,
  type FileContents,
  type TreeFile,
  treeDigest,
} from '@setpoint/artifact'
import { BusError } from '@setpoint/bus'
import {
  type ArtifactMessage,
  type ArtifactTree,
  artifactMessage,
  ORIGIN_REVISION,
  type StoredBytes,
  subjects,
} from '@setpoint/contracts'
import { archivePath } from './archive/archive-path.ts'
import type { SourceContext, Task } from './context.ts'
import type { Known } from './known.ts'
import type { Listing } from './listing.ts'
import { logKey } from './log-key.ts'
import type { Fetched, Surprise } from './source-kind.ts'
import type { SourceState } from './state.ts'

const BUCKET = 'setpoint-artifact'
/** A delta up to this size travels in the message. */
const MAX_INLINE_BYTES = 64 * 1024
/** A delta may grow to a quarter of its snapshot, or to this if that is more; then a new snapshot is cut. */
const MIN_DELTA_LIMIT_BYTES = 256 * 1024

/** What has to be written to disk once the bus has been told. */
interface Encoded {
  tree: ArtifactTree
  snapshot?: Uint8Array
  delta?: Uint8Array
  archive?: Uint8Array
}

/** Brings back from disk what was known before a restart. */
export async function recallState(context: SourceContext, task: Task): Promise<void> {
  const { known } = task
  if (known.stateRead) return
  known.state = await context.states.load(known.uid)
  known.stateRead = true
  if (known.state !== undefined) known.base = await readBase(context, known, known.state)
}

/** Tells the world about a tree, first the bus, then the disk. @throws BusError, ArtifactError or a disk's error */
export async function publishTree(context: SourceContext, task: Task, fetched: Fetched): Promise<void> {
  const { known } = task
  // Unless it was we who published last, the stream knows what is there to be replaced.
  const before = known.published ? known.state?.tree : await publishedTree(context, task)
  const encoded = withArchive(known, await encode(context, known, fetched.listing), fetched.archive)
  const state: SourceState = { ...fetched.state, tree: encoded.tree }
  await putTree(context, known, encoded)
  await context.bus.publish(artifactMessage, subjectOf(context, task), toMessage(context, task, state), {
    traceId: task.traceId,
  })
  task.log.info({ revision: state.revision, digest: encoded.tree.digest, traceId: task.traceId }, 'published')
  if (fetched.surprise !== undefined) tellSurprise(context, task, fetched.surprise)
  recordFetch(context, task, state)
  if (encoded.snapshot !== undefined) known.base = fetched.listing.files
  known.fresh = encoded.snapshot === undefined ? fetched.listing.fresh : new Map()
  known.published = true
  known.state = state
  await persist(context, known, encoded)
  if (before !== undefined) await deleteReplaced(context, task, before, encoded.tree)
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
  const last = await context.bus.last(artifactMessage, subjectOf(context, task))
  await putKnown(context, known, known.state)
  if (!isDeepStrictEqual(last?.data, message)) {
    const replaced = last?.data.tree
    await context.bus.publish(artifactMessage, subjectOf(context, task), message, { traceId: task.traceId })
    task.log.info({ revision: message.revision }, 'published again')
    if (replaced !== undefined) await deleteReplaced(context, task, replaced, known.state.tree)
  }
  known.published = true
}

async function publishedTree(context: SourceContext, task: Task): Promise<ArtifactTree | undefined> {
  return (await context.bus.last(artifactMessage, subjectOf(context, task)))?.data.tree
}

/** Says that the source is gone, and deletes its bytes. */
export async function publishGone(context: SourceContext, task: Task): Promise<void> {
  const { namespace = '', name, uid = '' } = task.object.metadata
  const before = await publishedTree(context, task)
  const { kind } = context.kind.gvk
  const gone: ArtifactMessage = { kind, namespace, name, uid, revision: '', url: '' }
  await context.bus.publish(artifactMessage, subjectOf(context, task), gone, { traceId: task.traceId })
  const tree = task.known.published ? task.known.state?.tree : before
  for (const stored of [tree?.snapshot, tree?.delta, tree?.archive]) await deleteObject(context, stored)
}

/** Every file with its content, from disk. undefined when the disk does not hold it. @throws ArtifactError */
export async function readSnapshot(
  context: SourceContext,
  known: Known,
  state: SourceState,
): Promise<FileContents[] | undefined> {
  const bytes = await context.states.loadBytes(known.uid, 'snapshot')
  if (bytes === undefined || sha256(bytes) !== state.tree.snapshot.digest) return undefined
  return decodeSnapshot(bytes, { maxBytes: 2 * context.limits.artifactBytes + MIN_DELTA_LIMIT_BYTES })
}

async function encode(context: SourceContext, known: Known, listing: Listing): Promise<Encoded> {
  const { base, state } = known
  const common = { digest: treeDigest(listing.files.values()), files: listing.files.size }
  if (base !== undefined && state !== undefined) {
    const delta = encodeDelta(base, listing.files, (blobId) => contentOf(listing.fresh, blobId))
    const limit = Math.max(MIN_DELTA_LIMIT_BYTES, state.tree.snapshot.size / 4)
    if (common.digest === treeDigest(base.values()))
      return { tree: { ...common, snapshot: state.tree.snapshot } }
    if (delta.length <= limit)
      return {
        tree: { ...common, snapshot: state.tree.snapshot, delta: describe(known, 'delta', delta) },
        delta,
      }
  }
  const snapshot = encodeSnapshot(await allContents(context, known, listing))
  return { tree: { ...common, snapshot: describe(known, 'snapshot', snapshot) }, snapshot }
}

async function allContents(context: SourceContext, known: Known, listing: Listing): Promise<FileContents[]> {
  const contents = new Map(listing.fresh)
  const old =
    known.state === undefined || known.base === undefined
      ? []
      : await readSnapshot(context, known, known.state)
  for (const { file, content } of old ?? []) contents.set(file.blobId, content)
  return [...listing.files.values()].map((file) => ({ file, content: contentOf(contents, file.blobId) }))
}

function contentOf(contents: ReadonlyMap<string, Uint8Array>, blobId: string): Uint8Array {
  const content = contents.get(blobId)
  if (content === undefined) throw new BaseLost(`the content of blob ${blobId} was not read`)
  return content
}

/** The snapshot on disk went away under us; the next run fetches everything. */
export class BaseLost extends Error {
  override name = 'BaseLost'
}

/** Other replicas can serve the archive, too. */
function withArchive(known: Known, { tree, ...bytes }: Encoded, archive: Uint8Array | undefined): Encoded {
  if (archive === undefined) return { tree, ...bytes }
  return { ...bytes, archive, tree: { ...tree, archive: describe(known, 'archive', archive) } }
}

function describe(known: Known, kind: 'snapshot' | 'delta' | 'archive', bytes: Uint8Array): StoredBytes {
  const digest = sha256(bytes)
  const common = { digest, size: bytes.length }
  if (kind === 'delta' && bytes.length <= MAX_INLINE_BYTES)
    return { ...common, inline: Buffer.from(bytes).toString('base64') }
  return { ...common, object: `${known.uid}/${kind}-${digest.slice('sha256:'.length)}` }
}

async function putTree(
  context: SourceContext,
  known: Known,
  { tree, snapshot, delta, archive }: Encoded,
): Promise<void> {
  if (archive !== undefined && tree.archive?.object !== undefined)
    await context.bus.putBytes(BUCKET, tree.archive.object, archive)
  if (snapshot !== undefined && tree.snapshot.object !== undefined)
    await context.bus.putBytes(BUCKET, tree.snapshot.object, snapshot)
  else if (!known.published && known.state !== undefined)
    await putKnown(context, known, { ...known.state, tree })
  if (delta !== undefined && tree.delta?.object !== undefined)
    await context.bus.putBytes(BUCKET, tree.delta.object, delta)
}

/** The bytes of a known state; those that are there are not sent again. */
async function putKnown(context: SourceContext, known: Known, { tree, archive }: SourceState): Promise<void> {
  for (const [name, stored] of [['snapshot', tree.snapshot] as const, ['delta', tree.delta] as const]) {
    if (stored?.object === undefined) continue
    const bytes = await context.states.loadBytes(known.uid, name)
    if (bytes !== undefined && sha256(bytes) === stored.digest)
      await context.bus.putBytes(BUCKET, stored.object, bytes)
    else if (name === 'snapshot') forgetBase(known)
  }
  if (tree.archive?.object !== undefined) await putArchive(context, known, tree.archive, archive)
  if (known.base === undefined) throw new BaseLost('what the disk held is missing or damaged')
}

async function putArchive(
  context: SourceContext,
  known: Known,
  { object = '', digest }: StoredBytes,
  archive: SourceState['archive'],
): Promise<void> {
  const bytes = archive && (await context.archives.read(archive.path))
  if (bytes !== undefined && sha256(bytes) === digest) await context.bus.putBytes(BUCKET, object, bytes)
  else forgetBase(known)
}

/** After this, the next run fetches everything and cuts a new snapshot. */
export function forgetBase(known: Known): void {
  known.base = undefined
  known.state = undefined
  known.fresh = new Map()
}

async function persist(context: SourceContext, known: Known, { snapshot, delta }: Encoded): Promise<void> {
  const { uid, state } = known
  if (state === undefined) return
  try {
    if (snapshot !== undefined) await context.states.saveBytes(uid, 'snapshot', snapshot)
    if (delta !== undefined) await context.states.saveBytes(uid, 'delta', delta)
    await context.states.save(uid, state)
  } catch (error) {
    // What the disk holds is behind what the bus was told: the next run starts anew.
    if (snapshot !== undefined) forgetBase(known)
    throw error
  }
}

/** Bytes that the newest message does not name. Who read the older message finds the newer one. */
async function deleteReplaced(
  context: SourceContext,
  task: Task,
  before: ArtifactTree,
  now: ArtifactTree,
): Promise<void> {
  const kept = new Set([now.snapshot.object, now.delta?.object, now.archive?.object])
  for (const stored of [before.snapshot, before.delta, before.archive]) {
    if (stored?.object === undefined || kept.has(stored.object)) continue
    await deleteObject(context, stored).catch((error: unknown) =>
      task.log.debug({ reason: String(error) }, 'replaced bytes could not be deleted'),
    )
  }
}

async function deleteObject(context: SourceContext, stored: StoredBytes | undefined): Promise<void> {
  if (stored?.object === undefined) return
  try {
    await context.bus.deleteBytes(BUCKET, stored.object)
  } catch (error) {
    if (!(error instanceof BusError) || error.code !== 'NotFound') throw error
  }
}

function toMessage(context: SourceContext, task: Task, state: SourceState): ArtifactMessage {
  const { namespace = '', name, uid = '' } = task.object.metadata
  const originRevision = state.metadata?.[ORIGIN_REVISION]
  return {
    kind: context.kind.gvk.kind,
    namespace,
    name,
    uid,
    revision: state.revision,
    ...(originRevision === undefined ? {} : { originRevision }),
    url: context.archives.urlOf(archivePath(task.object, state.id)),
    tree: state.tree,
  }
}

function subjectOf({ kind }: SourceContext, { object }: Task): string {
  const { namespace = '', name } = object.metadata
  return subjects.artifact({ kind: kind.gvk.kind, namespace, name })
}

async function readBase(
  context: SourceContext,
  known: Known,
  state: SourceState,
): Promise<ReadonlyMap<string, TreeFile> | undefined> {
  const contents = await readSnapshot(context, known, state).catch(() => undefined)
  return contents === undefined ? undefined : new Map(contents.map(({ file }) => [file.path, file]))
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
