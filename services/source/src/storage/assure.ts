import { digestOf } from '@setpoint/artifact'
import type { SourceContext } from '../context.ts'
import type { Known } from '../known.ts'
import { BaseLost } from './base-lost.ts'
import { ARTIFACT_BUCKET } from './bucket.ts'
import { knownTree } from './recall.ts'

type Stored = Pick<Known, 'uid' | 'base' | 'state'>

/**
 * Puts the bytes of an artifact on the bus again where they are missing.
 * @param snapshot its bytes, when they are not on disk yet
 * @throws BaseLost when something is on our disk neither; the next run makes everything anew
 */
export async function assureStored(
  context: SourceContext,
  stored: Stored,
  snapshot?: Uint8Array,
): Promise<void> {
  const tree = knownTree(stored)
  if (tree === undefined) throw new BaseLost('what the disk held is missing or damaged')
  await context.packs.assure(tree.packs)
  await assureSnapshot(context, stored, snapshot)
  await assureArchiveBytes(context, stored)
}

export async function assureSnapshot(
  { bus, states }: SourceContext,
  { uid, base }: Stored,
  given?: Uint8Array,
): Promise<void> {
  const { object = '', digest = '' } = base?.stored ?? {}
  if ((await bus.bytes.find(ARTIFACT_BUCKET, object))?.digest === digest) return
  const bytes = given ?? (await states.loadBytes(uid, 'snapshot'))
  if (bytes === undefined || digestOf(bytes) !== digest)
    throw new BaseLost('the snapshot on disk is missing or damaged')
  await bus.bytes.put(ARTIFACT_BUCKET, object, bytes)
}

/** An archive that is served as it was fetched cannot be made of the files. */
async function assureArchiveBytes({ bus, archives }: SourceContext, { state }: Stored): Promise<void> {
  const stored = state?.tree.archive
  if (stored?.object === undefined) return
  if ((await bus.bytes.find(ARTIFACT_BUCKET, stored.object))?.digest === stored.digest) return
  const bytes = state?.archive && (await archives.read(state.archive.path))
  if (bytes === undefined || digestOf(bytes) !== stored.digest)
    throw new BaseLost('the archive, which is served as it was fetched, is missing or damaged')
  await bus.bytes.put(ARTIFACT_BUCKET, stored.object, bytes)
}
