import { packContainer, type UnpackLimits, unpackContainer } from './container.ts'
import { ArtifactError } from './errors.ts'
import { readListing, toListed } from './listing.ts'
import { type Blobs, type PackRef, placesOf, readPacks, readPlaces, toListedPack } from './pack.ts'
import { byPath, type TreeFile, treeDigest } from './tree-file.ts'

const MAGIC = 'SPS1'

/** A whole tree, and where its contents are. */
export interface Snapshot {
  /** `sha256:<hex>` of the listing. */
  digest: string
  /** Bytes of all files. */
  bytes: number
  /** By path. */
  files: ReadonlyMap<string, TreeFile>
  packs: readonly PackRef[]
  /** By blob id. */
  packOf: ReadonlyMap<string, PackRef>
  /** Contents that are in no pack: earlier versions wrote all of them here. */
  carried: Blobs
}

/** A whole tree without its contents: those are in packs. Equal trees in equal packs give equal bytes. */
export function encodeSnapshot(
  files: Iterable<TreeFile>,
  packOf: (blobId: string) => PackRef | undefined,
): Uint8Array {
  const sorted = [...files].sort(byPath)
  const { packs, places } = placesOf(sorted, packOf)
  const head = { files: sorted.map(toListed), packs: packs.map(toListedPack), places }
  return packContainer(MAGIC, head, [])
}

/** Reads a snapshot back. @throws ArtifactError when it is damaged or over a limit, or a content is nowhere */
export function decodeSnapshot(encoded: Uint8Array, limits: UnpackLimits = {}): Snapshot {
  const { head, contents } = unpackContainer(MAGIC, encoded, limits)
  const fields: Record<string, unknown> = typeof head === 'object' && head !== null ? { ...head } : {}
  const files = readListing(fields.files, limits)
  const isPacked = fields.packs !== undefined
  const packs = isPacked ? readPacks(fields.packs) : []
  const packOf = isPacked ? readPlaces(files, packs, fields.places) : new Map<string, PackRef>()
  const carried = isPacked ? new Map<string, Uint8Array>() : cutContents(files, contents)
  let bytes = 0
  for (const file of files) {
    bytes += file.size
    if (file.size > 0 && !packOf.has(file.blobId) && !carried.has(file.blobId)) throw missingContent(file)
  }
  return {
    digest: treeDigest(files),
    bytes,
    files: new Map(files.map((file) => [file.path, file])),
    packs,
    packOf,
    carried,
  }
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

export function missingContent({ path }: TreeFile): ArtifactError {
  return new ArtifactError('Damaged', `the content of "${path}" is missing`)
}
