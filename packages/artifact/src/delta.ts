import { type Changes, changedFiles, removedPaths } from './changes.ts'
import { packContainer, type UnpackLimits, unpackContainer } from './container.ts'
import { ArtifactError } from './errors.ts'
import { readListing, readTexts, toListed } from './listing.ts'
import { type Blobs, type PackRef, placesOf, readPacks, readPlaces, toListedPack } from './pack.ts'
import { cutContents, type Snapshot } from './snapshot.ts'
import type { TreeFile } from './tree-file.ts'

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

/** What changed since a snapshot. `carried` are the contents that it is to carry itself; it names the packs of others. */
export function encodeDelta(
  base: Snapshot,
  changes: Changes,
  { carried, packOf }: { carried: Blobs; packOf: (blobId: string) => PackRef | undefined },
): Uint8Array {
  const changed = changedFiles(changes)
  const fresh = freshContents(base, changes)
  const own = fresh.filter(({ blobId }) => carried.has(blobId))
  const needed = new Set(fresh.map(({ blobId }) => blobId))
  const { packs, places } = placesOf(changed, (blobId) =>
    needed.has(blobId) && !carried.has(blobId) ? packOf(blobId) : undefined,
  )
  const head = {
    base: base.digest,
    removed: removedPaths(changes),
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

/** The changed files whose content the snapshot has nowhere, each content once. */
export function freshContents(base: Snapshot, changes: Changes): TreeFile[] {
  const fresh = new Map<string, TreeFile>()
  for (const file of changedFiles(changes)) {
    const { blobId } = file
    if (!base.packOf.has(blobId) && !base.carried.has(blobId) && !fresh.has(blobId)) fresh.set(blobId, file)
  }
  return [...fresh.values()]
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
