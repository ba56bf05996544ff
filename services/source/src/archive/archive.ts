import { ArchiveOutline, changesFrom, type Tree, writeTarGz } from '@setpoint/artifact'
import { timestamp } from '@setpoint/conditions'
import type { Artifact, ArtifactTree } from '@setpoint/contracts'
import type { SourceContext, Task } from '../context.ts'
import type { Known } from '../known.ts'
import type { SourceState } from '../state.ts'
import { BaseLost } from '../storage/base-lost.ts'
import { ARTIFACT_BUCKET } from '../storage/bucket.ts'
import { isGone, knownTree } from '../storage/recall.ts'
import { archivePath } from './archive-path.ts'

/**
 * Makes the archive of the known state when it is not on disk, whole and intact. Off the way of the bus.
 * @param fetched the archive, where it is served as it came
 */
export async function assureArchive(
  context: SourceContext,
  task: Task,
  fetched: Uint8Array | undefined,
): Promise<void> {
  const { known } = task
  const { state } = known
  if (state === undefined) throw new BaseLost('the state of the artifact was lost')
  const found = state.archive && (await context.archives.verify(state.archive.path, state.archive.digest))
  if (found === 'intact') return
  if (found === 'damaged') reportDamage(context, task, state.archive?.path ?? '')
  known.state = { ...state, archive: await makeArchive(context, task, state, fetched) }
  await context.states.save(known.uid, known.state)
  await context.archives.collect(known.state.archive?.path ?? '', context.now())
}

async function makeArchive(
  context: SourceContext,
  task: Task,
  state: SourceState,
  fetched: Uint8Array | undefined,
): Promise<Artifact> {
  const path = archivePath(task.object, state.id)
  const { digest, size } = await context.archives.write(path, archiveOf(context, task, state, fetched))
  const before = task.object.status?.artifact
  const isSame = before?.revision === state.revision && before.digest === digest
  return {
    digest,
    lastUpdateTime: isSame ? before.lastUpdateTime : timestamp(context.now()),
    path,
    revision: state.revision,
    size,
    url: context.archives.urlOf(path),
    ...(state.metadata === undefined ? {} : { metadata: state.metadata }),
  }
}

function archiveOf(
  context: SourceContext,
  { known }: Task,
  state: SourceState,
  fetched: Uint8Array | undefined,
): AsyncIterable<Uint8Array> {
  if (state.isVerbatim === true) return verbatim(context, state.tree, fetched)
  const tree = knownTree(known)
  if (tree === undefined) throw new BaseLost('the snapshot on disk is missing or damaged')
  return writeTarGz(outlineOf(known, tree), (file) => context.packs.read(tree, file), context.members)
}

/** What the archive consists of: as that of the last one where only contents have changed. */
function outlineOf(known: Known, tree: Tree): ArchiveOutline {
  const { outline: last, base } = known
  const archive =
    (last !== undefined && last.snapshot === base?.snapshot
      ? last.archive.after(changesFrom(last.snapshot.files, last.changes, tree.changes))
      : undefined) ?? ArchiveOutline.of(tree.files().values())
  known.outline = base && { snapshot: base.snapshot, changes: tree.changes, archive }
  return archive
}

/** An archive that is served as it was fetched. */
export async function* verbatim(
  { bus }: SourceContext,
  { archive }: ArtifactTree,
  fetched?: Uint8Array,
): AsyncIterable<Uint8Array> {
  if (fetched !== undefined) return yield fetched
  try {
    if (archive !== undefined) return yield await bus.bytes.get(ARTIFACT_BUCKET, archive)
  } catch (error) {
    if (!isGone(error)) throw error
  }
  throw new BaseLost('the archive, which is served as it was fetched, is missing or damaged')
}

function reportDamage(context: SourceContext, task: Task, path: string): void {
  const message = `the stored file ${path} does not have its digest any more; it is made again`
  task.log.warn({ path }, 'a stored archive is damaged')
  context.events.record(task.object, {
    severity: 'error',
    reason: 'ArtifactVerificationFailed',
    message,
    traceId: task.traceId,
  })
}
