import { applyChanges, type Changes } from './changes.ts'
import type { Delta } from './delta.ts'
import { ArtifactError } from './errors.ts'
import type { PackRef } from './pack.ts'
import { missingContent, type Snapshot } from './snapshot.ts'
import type { FileContents, TreeFile } from './tree-file.ts'

/** The files of a snapshot after a delta, and where their contents are. */
export interface Tree {
  /** What differs from the snapshot. */
  changes: Changes
  packs: readonly PackRef[]
  /** Every file by path. Put together when it is asked for: the rest costs no more than what the delta holds. */
  files(): ReadonlyMap<string, TreeFile>
  /** The pack that holds a content, if one does. */
  packOf(blobId: string): PackRef | undefined
  /** A content that is in no pack. */
  carried(blobId: string): Uint8Array | undefined
}

/** @throws ArtifactError when the delta is of another snapshot, or a content is nowhere */
export function mergeTree(snapshot: Snapshot, delta: Delta | undefined, maxBytes?: number): Tree {
  const changes = delta === undefined ? new Map() : changesOf(snapshot, delta)
  const tree: Tree = {
    changes,
    packs: [
      ...new Map([...snapshot.packs, ...(delta?.packs ?? [])].map((pack) => [pack.digest, pack])).values(),
    ],
    files: () => (changes.size === 0 ? snapshot.files : applyChanges(snapshot.files, changes)),
    packOf: (blobId) => delta?.packOf.get(blobId) ?? snapshot.packOf.get(blobId),
    carried: (blobId) => delta?.carried.get(blobId) ?? snapshot.carried.get(blobId),
  }
  let { bytes } = snapshot
  for (const [path, file] of changes) {
    bytes += (file?.size ?? 0) - (snapshot.files.get(path)?.size ?? 0)
    if (file !== undefined && file.size > 0 && !hasContent(tree, file)) throw missingContent(file)
  }
  if (maxBytes !== undefined && bytes > maxBytes)
    throw new ArtifactError('TooLarge', `the files of the tree have more than ${maxBytes} bytes`)
  return tree
}

/** A file with its content, when the contents of its pack are at hand. @throws ArtifactError */
export function fileContents(
  tree: Pick<Tree, 'packOf' | 'carried'>,
  file: TreeFile,
  contentsOf: (pack: PackRef) => ReadonlyMap<string, Uint8Array> | undefined,
): FileContents {
  if (file.size === 0) return { file, content: NOTHING }
  const pack = tree.packOf(file.blobId)
  const content = pack === undefined ? tree.carried(file.blobId) : contentsOf(pack)?.get(file.blobId)
  if (content === undefined || content.length !== file.size) throw missingContent(file)
  return { file, content }
}

const NOTHING = new Uint8Array()

function changesOf({ digest }: Snapshot, delta: Delta): Map<string, TreeFile | undefined> {
  if (delta.base !== digest) throw new ArtifactError('Damaged', 'the delta belongs to another snapshot')
  const changes = new Map<string, TreeFile | undefined>(delta.removed.map((path) => [path, undefined]))
  for (const file of delta.files) changes.set(file.path, file)
  return changes
}

function hasContent(tree: Tree, { blobId }: TreeFile): boolean {
  return tree.packOf(blobId) !== undefined || tree.carried(blobId) !== undefined
}
