import {
  type Archive,
  applyDelta,
  decodeSnapshot,
  describeArchive,
  type FileContents,
  writeTarGz,
} from '@setpoint/artifact'
import { type ArtifactTree, artifactMessage, subjects } from '@setpoint/contracts'
import type { SourceContext } from '../context.ts'
import { readContents } from './archive.ts'

/** Makes the archive of a known artifact again when a consumer asks for it and it is not on disk. */
export async function restoreArchive(context: SourceContext, path: string): Promise<boolean> {
  const [, namespace, name] = path.split('/')
  const known = context.memory.find(`${namespace}/${name}`)
  const { state } = known ?? {}
  if (known === undefined || state?.archive?.path !== path || state.isVerbatim === true)
    return restoreFromBus(context, path)
  try {
    const { bytes, digest } = await writeTarGz(await readContents(context, known, state))
    // The object may have been deleted meanwhile.
    if (digest !== state.archive.digest || known.state !== state) return false
    await context.archives.write(path, bytes)
    return true
  } catch (error) {
    context.log.warn({ path, reason: String(error) }, 'an archive could not be made again')
    return false
  }
}

/** Another replica made the artifact: any of them can hand it out, for its files are on the bus. */
async function restoreFromBus(context: SourceContext, path: string): Promise<boolean> {
  const [, namespace = '', name = ''] = path.split('/')
  const artifact = context.objects.get(`${namespace}/${name}`)?.status?.artifact
  if (artifact?.path !== path) return false
  try {
    const subject = subjects.artifact({ kind: context.kind.gvk.kind, namespace, name })
    const message = (await context.bus.last(artifactMessage, subject))?.data
    if (message?.tree === undefined || message.revision !== artifact.revision) return false
    const { bytes, digest } = await archiveOf(context, message.tree)
    if (digest !== artifact.digest) return false
    await context.archives.write(path, bytes)
    await context.archives.collect(path, context.now())
    return true
  } catch (error) {
    context.log.warn({ path, reason: String(error) }, 'an archive could not be made from what is on the bus')
    return false
  }
}

async function archiveOf(context: SourceContext, tree: ArtifactTree): Promise<Archive> {
  if (tree.archive === undefined) return writeTarGz(await readTree(context, tree))
  return describeArchive(await context.bus.getBytes('setpoint-artifact', tree.archive))
}

async function readTree(context: SourceContext, tree: ArtifactTree): Promise<Iterable<FileContents>> {
  const maxBytes = 2 * context.limits.artifactBytes
  const snapshot = decodeSnapshot(await context.bus.getBytes('setpoint-artifact', tree.snapshot), {
    maxBytes,
  })
  if (tree.delta === undefined) return snapshot
  const delta = await context.bus.getBytes('setpoint-artifact', tree.delta)
  return applyDelta(new Map(snapshot.map((contents) => [contents.file.path, contents])), delta).values()
}
