import type { CommitInfo } from './mirror-types.ts'
import type { ObjectType } from './pack/git-object.ts'
import { DamagedPack } from './pack/limits.ts'
import type { ObjectStore } from './pack/object-store.ts'
import { parseCommit, parseTag } from './parse-commit.ts'
import { parseTree, type TreeItem } from './parse-tree.ts'

/** Tags may point to tags. */
const MAX_TAGS = 10

/** The commit of a name, or the one behind an annotated tag. @throws DamagedPack */
export async function readCommit(objects: ObjectStore, oid: string): Promise<CommitInfo> {
  let at = oid
  for (let tags = 0; tags <= MAX_TAGS; tags += 1) {
    const { type, data } = await objects.read(at)
    if (type === 'commit') return parseCommit(at, data)
    if (type !== 'tag') break
    at = parseTag(data)
  }
  throw new DamagedPack(`${oid} is no commit`)
}

/** @throws DamagedPack */
export async function readTree(objects: ObjectStore, oid: string): Promise<TreeItem[]> {
  return parseTree(await readTreeBytes(objects, oid))
}

/** A tree as it is stored; see parseTree. @throws DamagedPack */
export function readTreeBytes(objects: ObjectStore, oid: string): Promise<Buffer> {
  return readAs(objects, oid, 'tree')
}

/** @throws DamagedPack */
export function readBlob(objects: ObjectStore, oid: string): Promise<Buffer> {
  return readAs(objects, oid, 'blob')
}

async function readAs(objects: ObjectStore, oid: string, wanted: ObjectType): Promise<Buffer> {
  const { type, data } = await objects.read(oid)
  if (type !== wanted) throw new DamagedPack(`${oid} is no ${wanted}`)
  return data
}
