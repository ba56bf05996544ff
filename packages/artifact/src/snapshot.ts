import { packContainer, type UnpackLimits, unpackContainer } from './container.ts'
import { ArtifactError } from './errors.ts'
import { readListing, toListed } from './listing.ts'
import { byPath, type FileContents, type TreeFile } from './tree-file.ts'

const MAGIC = 'SPS1'

/** A whole tree in one compressed piece. Equal contents are written once. Equal trees give equal bytes. */
export function encodeSnapshot(files: readonly FileContents[]): Uint8Array {
  const sorted = [...files].sort((a, b) => byPath(a.file, b.file))
  const contents = new Map<string, Uint8Array>()
  for (const { file, content } of sorted) if (!contents.has(file.blobId)) contents.set(file.blobId, content)
  return packContainer(MAGIC, { files: sorted.map(({ file }) => toListed(file)) }, [...contents.values()])
}

/** Reads a snapshot back. @throws ArtifactError when it is damaged or over a limit. */
export function decodeSnapshot(bytes: Uint8Array, limits: UnpackLimits = {}): FileContents[] {
  const { head, contents } = unpackContainer(MAGIC, bytes, limits)
  const files = readListing(
    typeof head === 'object' && head !== null && 'files' in head ? head.files : undefined,
    limits,
  )
  const byBlob = cutContents(files, contents)
  return files.map((file) => ({ file, content: contentOf(byBlob, file) }))
}

/** The contents follow one another in the order in which their blob ids first appear. @throws ArtifactError */
export function cutContents(files: readonly TreeFile[], contents: Uint8Array): Map<string, Uint8Array> {
  const byBlob = new Map<string, Uint8Array>()
  let offset = 0
  for (const { blobId, size } of files) {
    if (byBlob.has(blobId)) continue
    if (offset + size > contents.length) throw new ArtifactError('Damaged', 'the bytes end within a file')
    byBlob.set(blobId, contents.subarray(offset, offset + size))
    offset += size
  }
  if (offset !== contents.length) throw new ArtifactError('Damaged', 'the bytes go on after the last file')
  return byBlob
}

function contentOf(byBlob: ReadonlyMap<string, Uint8Array>, file: TreeFile): Uint8Array {
  const content = byBlob.get(file.blobId)
  if (content === undefined || content.length !== file.size)
    throw new ArtifactError('Damaged', `the content of "${file.path}" is missing`)
  return content
}
