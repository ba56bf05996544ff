import { type Archive, applyDelta, describeArchive, type FileContents, writeTarGz } from '@setpoint/artifact'
import { BusError } from '@setpoint/bus'
import { timestamp } from '@setpoint/conditions'
import type { Artifact } from '@setpoint/contracts'
import type { SourceContext, Task } from '../context.ts'
import type { Known } from '../known.ts'
import { BaseLost, forgetBase, readSnapshot } from '../publish.ts'
import type { SourceState } from '../state.ts'
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

/** The files of the known state, from disk. @throws BaseLost when the disk does not hold them */
export async function readContents(
  context: SourceContext,
  known: Known,
  state: SourceState,
): Promise<Iterable<FileContents>> {
  const snapshot = await readSnapshot(context, known, state)
  if (snapshot === undefined) {
    forgetBase(known)
    throw new BaseLost('the snapshot on disk is missing or damaged')
  }
  const { delta } = state.tree
  if (delta === undefined) return snapshot
  const bytes =
    delta.inline === undefined
      ? await context.states.loadBytes(known.uid, 'delta')
      : Buffer.from(delta.inline, 'base64')
  if (bytes === undefined) {
    forgetBase(known)
    throw new BaseLost('the delta on disk is missing')
  }
  return applyDelta(new Map(snapshot.map((contents) => [contents.file.path, contents])), bytes).values()
}

async function makeArchive(
  context: SourceContext,
  task: Task,
  state: SourceState,
  fetched: Uint8Array | undefined,
): Promise<Artifact> {
  const { bytes, digest, size } = await archiveOf(context, task.known, state, fetched)
  const path = archivePath(task.object, state.id)
  await context.archives.write(path, bytes)
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

async function archiveOf(
  context: SourceContext,
  known: Known,
  state: SourceState,
  fetched: Uint8Array | undefined,
): Promise<Archive> {
  if (state.isVerbatim !== true) return writeTarGz(await readContents(context, known, state))
  if (fetched !== undefined) return describeArchive(fetched)
  if (state.tree.archive !== undefined)
    try {
      return describeArchive(await context.bus.getBytes('setpoint-artifact', state.tree.archive))
    } catch (error) {
      if (!(error instanceof BusError) || error.code !== 'NotFound') throw error
    }
  forgetBase(known)
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
