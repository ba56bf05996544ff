import { createHash } from 'node:crypto'
import type { Tree } from '@setpoint/artifact'
import {
  type Artifact,
  type ArtifactTree,
  fields,
  readArtifactTree,
  type SourceObject,
} from '@setpoint/contracts'
import type { SourceContext, Task } from '../context.ts'
import type { Known } from '../known.ts'
import { subjectOf } from '../message.ts'
import { assureSnapshot } from './assure.ts'
import { ARTIFACT_BUCKET } from './bucket.ts'
import { isGone, knownTree } from './recall.ts'

/** A stored revision: everything that its archive is made of, byte for byte. */
export interface Revision {
  artifact: Pick<Artifact, 'path' | 'digest' | 'revision'>
  tree: ArtifactTree
}

const HEX_OF_PACK = 24

/** Writes down which revision was stored and what it needs, so that this is kept, and any replica can serve it. */
export async function assureRecord(context: SourceContext, task: Task): Promise<void> {
  const { known } = task
  const { state } = known
  const tree = knownTree(known)
  if (state?.archive === undefined || tree === undefined) return
  const { path, digest, revision } = state.archive
  const record: Revision = { artifact: { path, digest, revision }, tree: state.tree }
  const bytes = Buffer.from(JSON.stringify(record))
  const identity = createHash('sha256').update(bytes).digest('hex')
  if (known.recorded === identity) return
  await context.bus.bytes.put(ARTIFACT_BUCKET, recordName(known.uid, state.id), bytes, {
    labels: { subject: subjectOf(context, task.object), revision, ...needsOf(state.tree, tree) },
  })
  await assureNew(context, known, tree)
  known.recorded = identity
}

/** What must be kept for as long as a record is. */
function needsOf({ snapshot, archive }: ArtifactTree, { packs }: Tree): Record<'needs' | 'packs', string> {
  const objects = [snapshot.object, archive?.object].filter((name) => name !== undefined)
  return { needs: objects.join(' '), packs: packs.map(({ digest }) => shortPack(digest)).join(' ') }
}

/** What the record names and no earlier one did may have been swept up just before: it is put there again. */
async function assureNew(context: SourceContext, known: Known, { packs }: Tree): Promise<void> {
  const { digest = '' } = known.base?.stored ?? {}
  await context.packs.assure(packs.filter((pack) => !known.assured.has(pack.digest)))
  if (!known.assured.has(digest)) await assureSnapshot(context, known)
  known.assured = new Set([digest, ...packs.map((pack) => pack.digest)])
}

/** The stored revision that a path of an archive stands for, if there is one. @throws BusError */
export async function findRevision(
  { bus }: SourceContext,
  { metadata: { uid = '' } }: SourceObject,
  path: string,
): Promise<Revision | undefined> {
  const id = path.slice(path.lastIndexOf('/') + 1).replace(/\.tar\.gz$/, '')
  try {
    const stored = await bus.bytes.find(ARTIFACT_BUCKET, recordName(uid, id))
    const revision = stored && readRevision(await bus.bytes.get(ARTIFACT_BUCKET, stored))
    return revision?.artifact.path === path ? revision : undefined
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** The source is gone, and with it all of its revisions. */
export async function removeRecords({ bus }: SourceContext, uid: string): Promise<void> {
  for (const name of await bus.bytes.names(ARTIFACT_BUCKET))
    if (name.startsWith(recordName(uid, ''))) await bus.bytes.delete(ARTIFACT_BUCKET, name)
}

/** Names a pack in a label: short, for there may be hundreds. */
export function shortPack(digest: string): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + HEX_OF_PACK)
}

/** `revision/<uid>/<commit or digest>` */
function recordName(uid: string, id: string): string {
  return `revision/${uid}/${id}`
}

function readRevision(bytes: Uint8Array): Revision {
  const data = fields(JSON.parse(Buffer.from(bytes).toString('utf8')))
  const artifact = data.object('artifact')
  return {
    artifact: {
      path: artifact.string('path'),
      digest: artifact.string('digest'),
      revision: artifact.string('revision'),
    },
    tree: readArtifactTree(data.object('tree')),
  }
}
