import { packContainer, type UnpackLimits, unpackContainer } from './container.ts'
import { ArtifactError } from './errors.ts'
import { readListing, readTexts, toListed } from './listing.ts'
import { cutContents } from './snapshot.ts'
import { byPath, type FileContents, type TreeFile, treeDigest } from './tree-file.ts'

const MAGIC = 'SPD1'

/**
 * What changed between two trees, with the contents that the first one does not hold under any path.
 * `read` is asked for those contents only.
 */
export function encodeDelta(
  previous: ReadonlyMap<string, TreeFile>,
  next: ReadonlyMap<string, TreeFile>,
  read: (blobId: string) => Uint8Array,
): Uint8Array {
  const changed = changedFiles(previous, next)
  const fresh = freshBlobs(previous, changed)
  const head = {
    base: treeDigest(previous.values()),
    removed: [...previous.keys()].filter((path) => !next.has(path)).sort(),
    files: changed.map(toListed),
    contents: fresh.map(toListed),
  }
  return packContainer(
    MAGIC,
    head,
    fresh.map(({ blobId }) => read(blobId)),
  )
}

/** The blobs that a delta must carry: their content is in `next` and nowhere in `previous`. */
export function blobsOfDelta(
  previous: ReadonlyMap<string, TreeFile>,
  next: ReadonlyMap<string, TreeFile>,
): TreeFile[] {
  return freshBlobs(previous, changedFiles(previous, next))
}

/** The tree that a delta makes of its base. @throws ArtifactError when it is damaged or of another base. */
export function applyDelta(
  base: ReadonlyMap<string, FileContents>,
  bytes: Uint8Array,
  limits: UnpackLimits = {},
): Map<string, FileContents> {
  const unpacked = unpackContainer(MAGIC, bytes, limits)
  const head = readHead(unpacked.head, limits)
  if (head.base !== treeDigest(filesOf(base)))
    throw new ArtifactError('Damaged', 'the delta belongs to another snapshot')
  const contents = cutContents(head.contents, unpacked.contents)
  const known = new Map([...base.values()].map(({ file, content }) => [file.blobId, content]))
  const next = new Map(base)
  for (const path of head.removed) next.delete(path)
  for (const file of head.files) {
    const content = contents.get(file.blobId) ?? known.get(file.blobId)
    if (content === undefined) throw new ArtifactError('Damaged', `the content of "${file.path}" is missing`)
    next.set(file.path, { file, content })
  }
  return next
}

function changedFiles(
  previous: ReadonlyMap<string, TreeFile>,
  next: ReadonlyMap<string, TreeFile>,
): TreeFile[] {
  const changed = [...next.values()].filter((file) => {
    const before = previous.get(file.path)
    return before === undefined || before.blobId !== file.blobId || before.mode !== file.mode
  })
  return changed.sort(byPath)
}

function freshBlobs(previous: ReadonlyMap<string, TreeFile>, changed: readonly TreeFile[]): TreeFile[] {
  if (changed.length === 0) return []
  const known = new Set([...previous.values()].map(({ blobId }) => blobId))
  return changed.filter(({ blobId }) => {
    if (known.has(blobId)) return false
    known.add(blobId)
    return true
  })
}

function readHead(head: unknown, limits: UnpackLimits) {
  const fields: Record<string, unknown> = typeof head === 'object' && head !== null ? { ...head } : {}
  if (typeof fields.base !== 'string') throw new ArtifactError('Damaged', 'the delta names no base')
  return {
    base: fields.base,
    removed: readTexts(fields.removed),
    files: readListing(fields.files, limits),
    contents: readListing(fields.contents, limits),
  }
}

function* filesOf(tree: ReadonlyMap<string, FileContents>): Iterable<TreeFile> {
  for (const { file } of tree.values()) yield file
}
