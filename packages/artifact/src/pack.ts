import { packContainer, type UnpackLimits, unpackContainer } from './container.ts'
import { ArtifactError } from './errors.ts'

const MAGIC = 'SPP1'

/** Contents by blob id. */
export type Blobs = ReadonlyMap<string, Uint8Array>

/** A pack as trees name it. */
export interface PackRef {
  /** `sha256:<hex>` of its bytes. */
  digest: string
  /** Bytes. */
  size: number
  /** Bytes of the contents in it. */
  rawBytes: number
}

/** The contents of many files in one compressed piece. */
export function encodePack(blobs: Blobs): Uint8Array {
  const head = { blobs: [...blobs].map(([blobId, { length }]) => [blobId, length]) }
  return packContainer(MAGIC, head, [...blobs.values()])
}

/** Reads a pack back. @throws ArtifactError when it is damaged or over a limit */
export function decodePack(bytes: Uint8Array, limits: UnpackLimits = {}): Map<string, Uint8Array> {
  const { head, contents } = unpackContainer(MAGIC, bytes, limits)
  const blobs = new Map<string, Uint8Array>()
  let offset = 0
  for (const [blobId, size] of readBlobs(head)) {
    blobs.set(blobId, contents.subarray(offset, offset + size))
    offset += size
  }
  if (offset !== contents.length) throw new ArtifactError('Damaged', 'the pack has other bytes than it says')
  return blobs
}

function readBlobs(head: unknown): [blobId: string, size: number][] {
  const blobs: unknown = typeof head === 'object' && head !== null && 'blobs' in head ? head.blobs : undefined
  if (!Array.isArray(blobs)) throw new ArtifactError('Damaged', 'the pack lists no contents')
  return blobs.map((blob: unknown) => {
    const [blobId, size] = Array.isArray(blob) ? blob : []
    if (typeof blobId !== 'string' || !Number.isSafeInteger(size) || size < 0)
      throw new ArtifactError('Damaged', 'the pack lists an unusable content')
    return [blobId, size]
  })
}

const MIN_BYTES = 256 * 1024
const MEAN_BYTES = 1024 * 1024
const MAX_BYTES = 4 * 1024 * 1024

/**
 * Gathers contents until a pack is full. Where a pack ends depends on nothing but the contents around that place: the
 * same files make the same packs, whoever packs them, and one that differs changes the packs around it only.
 */
export class PackBuilder {
  private blobs = new Map<string, Uint8Array>()
  private bytes = 0

  /** @param blobId hex. Returns the contents of a pack when this one fills it. */
  add(blobId: string, content: Uint8Array): Blobs | undefined {
    if (this.blobs.has(blobId)) return undefined
    this.blobs.set(blobId, content)
    this.bytes += content.length
    return this.isFull(blobId, content.length) ? this.rest() : undefined
  }

  /** A content that is in no finished pack yet. */
  get(blobId: string): Uint8Array | undefined {
    return this.blobs.get(blobId)
  }

  /** What is left. */
  rest(): Blobs {
    const { blobs } = this
    this.blobs = new Map()
    this.bytes = 0
    return blobs
  }

  private isFull(blobId: string, size: number): boolean {
    if (this.bytes >= MAX_BYTES) return true
    return this.bytes >= MIN_BYTES && Number.parseInt(blobId.slice(0, 8), 16) % MEAN_BYTES < size
  }
}

/** Packs as they are listed: digest, size, bytes of the contents. */
export type ListedPack = [digest: string, size: number, rawBytes: number]

export function toListedPack({ digest, size, rawBytes }: PackRef): ListedPack {
  return [digest, size, rawBytes]
}

/** @throws ArtifactError */
export function readPacks(value: unknown): PackRef[] {
  if (!Array.isArray(value)) throw new ArtifactError('Damaged', 'the list of packs is no list')
  return value.map((listed: unknown) => {
    const [digest, size, rawBytes] = Array.isArray(listed) ? listed : []
    if (typeof digest !== 'string' || !Number.isSafeInteger(size) || !Number.isSafeInteger(rawBytes))
      throw new ArtifactError('Damaged', 'the list of packs has an unusable one')
    return { digest, size, rawBytes }
  })
}

/** Which pack holds the content of each file, as an index into a list; -1 for none. */
export function placesOf(
  files: readonly { blobId: string }[],
  packOf: (blobId: string) => PackRef | undefined,
): { packs: PackRef[]; places: number[] } {
  const indexes = new Map<string, number>()
  const packs: PackRef[] = []
  const places = files.map(({ blobId }) => {
    const pack = packOf(blobId)
    if (pack === undefined) return -1
    const known = indexes.get(pack.digest)
    if (known !== undefined) return known
    indexes.set(pack.digest, packs.length)
    return packs.push(pack) - 1
  })
  return { packs, places }
}

/** Undoes placesOf. @throws ArtifactError */
export function readPlaces(
  files: readonly { blobId: string }[],
  packs: readonly PackRef[],
  places: unknown,
): Map<string, PackRef> {
  if (!Array.isArray(places) || places.length !== files.length)
    throw new ArtifactError('Damaged', 'the listing does not say where its contents are')
  const packOf = new Map<string, PackRef>()
  for (const [index, { blobId }] of files.entries()) {
    const pack = packs[places[index]]
    if (pack !== undefined) packOf.set(blobId, pack)
  }
  return packOf
}
