import { packContainer, type UnpackLimits, unpackContainer } from './container.ts'
import { ArtifactError } from './errors.ts'
import { readListing, readTexts, toListed } from './listing.ts'
import { type Blobs, type PackRef, placesOf, readPacks, readPlaces, toListedPack } from './pack.ts'
import { cutContents, type Snapshot } from './snapshot.ts'
import { byPath, type TreeFile } from './tree-file.ts'

const MAGIC = 'SPD1'

/** What a tree has that its snapshot has not. */
export interface Delta {
  /** Digest of the listing of the snapshot. */
  base: string
  removed: readonly string[]
  files: readonly TreeFile[]
  packs: readonly PackRef[]
  /** By blob id. */
  packOf: ReadonlyMap<string, PackRef>
  /** Contents that travel in the delta itself. */
  carried: Blobs
}

type Base = Pick<Snapshot, 'digest' | 'files'>

/** What changed since a snapshot. `carried` are the contents that it is to carry itself; it names the packs of others. */
export function encodeDelta(
  base: Base,
  next: ReadonlyMap<string, TreeFile>,
  { carried, packOf }: { carried: Blobs; packOf: (blobId: string) => PackRef | undefined },
): Uint8Array {
  const changed = changedFiles(base.files, next)
  const fresh = freshBlobs(base.files, changed)
  const own = fresh.filter(({ blobId }) => carried.has(blobId))
  const needed = new Set(fresh.map(({ blobId }) => blobId))
  const { packs, places } = placesOf(changed, (blobId) =>
    needed.has(blobId) && !carried.has(blobId) ? packOf(blobId) : undefined,
  )
  const head = {
    base: base.digest,
    removed: removedPaths(base.files, next),
    files: changed.map(toListed),
    contents: own.map(toListed),
    ...(packs.length === 0 ? {} : { packs: packs.map(toListedPack), places }),
  }
  return packContainer(
    MAGIC,
    head,
    own.map(({ blobId }) => carried.get(blobId) ?? NOTHING),
  )
}

const NOTHING = new Uint8Array()

/** The files whose content is in `next` and nowhere in `previous`, each content once. */
export function blobsOfDelta(
  previous: ReadonlyMap<string, TreeFile>,
  next: ReadonlyMap<string, TreeFile>,
): TreeFile[] {
  return freshBlobs(previous, changedFiles(previous, next))
}

/** Reads a delta back. @throws ArtifactError when it is damaged or over a limit. */
export function decodeDelta(bytes: Uint8Array, limits: UnpackLimits = {}): Delta {
  const { head, contents } = unpackContainer(MAGIC, bytes, limits)
  const fields: Record<string, unknown> = typeof head === 'object' && head !== null ? { ...head } : {}
  if (typeof fields.base !== 'string') throw new ArtifactError('Damaged', 'the delta names no base')
  const files = readListing(fields.files, limits)
  const packs = fields.packs === undefined ? [] : readPacks(fields.packs)
  return {
    base: fields.base,
    removed: readTexts(fields.removed),
    files,
    packs,
    packOf: fields.packs === undefined ? new Map() : readPlaces(files, packs, fields.places),
    carried: cutContents(readListing(fields.contents, limits), contents),
  }
}

function removedPaths(
  previous: ReadonlyMap<string, TreeFile>,
  next: ReadonlyMap<string, TreeFile>,
): string[] {
  const removed: string[] = []
  for (const path of previous.keys()) if (!next.has(path)) removed.push(path)
  return removed.sort()
}

function changedFiles(
  previous: ReadonlyMap<string, TreeFile>,
  next: ReadonlyMap<string, TreeFile>,
): TreeFile[] {
  const changed: TreeFile[] = []
  for (const file of next.values()) {
    const before = previous.get(file.path)
    if (before?.blobId !== file.blobId || before.mode !== file.mode) changed.push(file)
  }
  return changed.sort(byPath)
}

/** What is held grows with the change, not with the tree. */
function freshBlobs(previous: ReadonlyMap<string, TreeFile>, changed: readonly TreeFile[]): TreeFile[] {
  const fresh = new Map<string, TreeFile>()
  for (const file of changed) if (!fresh.has(file.blobId)) fresh.set(file.blobId, file)
  if (fresh.size > 0) for (const { blobId } of previous.values()) fresh.delete(blobId)
  return [...fresh.values()]
}
