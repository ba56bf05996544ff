import type { Delta } from './delta.ts'
import { ArtifactError } from './errors.ts'
import type { PackRef } from './pack.ts'
import type { Snapshot } from './snapshot.ts'
import type { FileContents, TreeFile } from './tree-file.ts'

/** The files of a snapshot after a delta, and where their contents are. */
export interface Tree {
  /** By path. */
  files: ReadonlyMap<string, TreeFile>
  packs: readonly PackRef[]
  /** The pack that holds a content, if one does. */
  packOf(blobId: string): PackRef | undefined
  /** A content that is in no pack. */
  carried(blobId: string): Uint8Array | undefined
}

/** @throws ArtifactError when the delta is of another snapshot, or a content is nowhere */
export function mergeTree(snapshot: Snapshot, delta: Delta | undefined, maxBytes?: number): Tree {
  const tree: Tree = {
    files: delta === undefined ? snapshot.files : applied(snapshot, delta),
    packs: [
      ...new Map([...snapshot.packs, ...(delta?.packs ?? [])].map((pack) => [pack.digest, pack])).values(),
    ],
    packOf: (blobId) => delta?.packOf.get(blobId) ?? snapshot.packOf.get(blobId),
    carried: (blobId) => delta?.carried.get(blobId) ?? snapshot.carried.get(blobId),
  }
  let bytes = 0
  for (const file of tree.files.values()) {
    bytes += file.size
    if (file.size > 0 && tree.packOf(file.blobId) === undefined && tree.carried(file.blobId) === undefined)
      throw missing(file)
  }
  if (maxBytes !== undefined && bytes > maxBytes)
    throw new ArtifactError('TooLarge', `the files of the tree have more than ${maxBytes} bytes`)
  return tree
}

/** A file with its content, when the contents of its pack are at hand. @throws ArtifactError */
export function fileContents(
  tree: Tree,
  file: TreeFile,
  contentsOf: (pack: PackRef) => ReadonlyMap<string, Uint8Array> | undefined,
): FileContents {
  if (file.size === 0) return { file, content: NOTHING }
  const pack = tree.packOf(file.blobId)
  const content = pack === undefined ? tree.carried(file.blobId) : contentsOf(pack)?.get(file.blobId)
  if (content === undefined || content.length !== file.size) throw missing(file)
  return { file, content }
}

const NOTHING = new Uint8Array()

function applied({ digest, files }: Snapshot, delta: Delta): Map<string, TreeFile> {
  if (delta.base !== digest) throw new ArtifactError('Damaged', 'the delta belongs to another snapshot')
  const next = new Map(files)
  for (const path of delta.removed) next.delete(path)
  for (const file of delta.files) next.set(file.path, file)
  return next
}

function missing({ path }: TreeFile): ArtifactError {
  return new ArtifactError('Damaged', `the content of "${path}" is missing`)
}
