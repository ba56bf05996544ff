import { ArchiveOutline, writeTarGz } from '@setpoint/artifact'
import type { SourceContext } from '../context.ts'
import { openTree } from '../storage/recall.ts'
import { findRevision, type Revision } from '../storage/records.ts'
import { verbatim } from './archive.ts'

/**
 * Makes an archive of a stored revision again, byte for byte, when a consumer asks for it and it is not on disk. Any
 * replica can do that, for all that it is made of is on the bus.
 */
export async function restoreArchive(context: SourceContext, path: string): Promise<boolean> {
  const [, namespace, name] = path.split('/')
  const object = context.objects.get(`${namespace}/${name}`)
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return false
  try {
    const revision = await findRevision(context, object, path)
    return revision !== undefined && (await restore(context, revision))
  } catch (error) {
    context.log.warn({ path, reason: String(error) }, 'an archive could not be made again')
    return false
  }
}

async function restore(context: SourceContext, { artifact, tree }: Revision): Promise<boolean> {
  const { path, digest: expected } = artifact
  const bytes = tree.archive === undefined ? await packed(context, tree) : verbatim(context, tree)
  const { digest } = await context.archives.write(path, bytes, expected)
  if (digest !== expected) return false
  await context.archives.collect(path, context.now())
  return true
}

async function packed(context: SourceContext, stored: Revision['tree']): Promise<AsyncIterable<Uint8Array>> {
  const tree = await openTree(context, stored)
  return writeTarGz(
    ArchiveOutline.of(tree.files().values()),
    (file) => context.packs.read(tree, file),
    context.members,
  )
}
