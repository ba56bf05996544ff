import {
  type Blobs,
  blobsOfDelta,
  decodeSnapshot,
  digestOf,
  encodeDelta,
  encodeSnapshot,
  type PackRef,
  type TreeFile,
  treeDigest,
} from '@setpoint/artifact'
import type { ArtifactTree, StoredBytes } from '@setpoint/contracts'
import type { Base, Known } from '../known.ts'
import type { Listing } from '../listing.ts'
import { BaseLost } from './base-lost.ts'
import type { Packs } from './packs.ts'
import { repack } from './repack.ts'

/** A delta travels in the message, so that a commit costs one: what does not fit goes into packs, or a new snapshot. */
const MAX_DELTA_BYTES = 24 * 1024
/** Packs that a delta may name besides those of its snapshot. */
const MAX_DELTA_PACKS = 32

/** A tree as the message names it. */
export interface Encoded {
  tree: ArtifactTree
  base: Base
  /** The bytes of a snapshot that is new. */
  snapshot?: Uint8Array
  /** Contents that travel in the delta. */
  carried: Blobs
}

/** Stores the contents of a tree that are not stored yet, and says the tree in as few bytes as it takes. */
export async function encodeTree(packs: Packs, known: Known, listing: Listing): Promise<Encoded> {
  const fresh = new Map([...known.fresh, ...listing.fresh.rest()])
  const common = { digest: treeDigest(listing.files.values()), files: listing.files.size }
  const small = known.base && (await asDelta(packs, known.base, { ...listing, fresh, digest: common.digest }))
  if (small !== undefined) return { ...small, tree: { ...common, ...small.tree } }
  const { base, bytes } = await asSnapshot(packs, { ...listing, fresh })
  return { tree: { ...common, snapshot: base.stored }, base, snapshot: bytes, carried: new Map() }
}

type Contents = Pick<Listing, 'files'> & { fresh: ReadonlyMap<string, Uint8Array> }
type Small = Omit<Encoded, 'tree'> & { tree: Pick<ArtifactTree, 'snapshot' | 'delta'> }

/** The change since the snapshot, when it is small. */
async function asDelta(
  packs: Packs,
  base: Base,
  { files, fresh, digest }: Contents & { digest: string },
): Promise<Small | undefined> {
  const needed = blobsOfDelta(base.snapshot.files, files).filter(({ size }) => size > 0)
  const carried = pick(fresh, needed, packs)
  for (const contents of [carried, new Map<string, Uint8Array>()]) {
    if (contents.size === 0) await packs.add(carried)
    if (packsOf(packs, needed).size > MAX_DELTA_PACKS) return undefined
    const bytes = encodeDelta(base.snapshot, files, {
      carried: contents,
      packOf: (blobId) => packs.find(blobId),
    })
    if (bytes.length > MAX_DELTA_BYTES) continue
    const isSame = base.snapshot.digest === digest
    const delta = { ...describe(bytes), inline: Buffer.from(bytes).toString('base64') }
    return { tree: { snapshot: base.stored, ...(isSame ? {} : { delta }) }, base, carried: contents }
  }
  return undefined
}

/** The contents that no pack holds. @throws BaseLost when one is nowhere */
function pick(
  fresh: ReadonlyMap<string, Uint8Array>,
  needed: readonly TreeFile[],
  packs: Packs,
): Map<string, Uint8Array> {
  const carried = new Map<string, Uint8Array>()
  for (const { blobId, path } of needed) {
    if (packs.find(blobId) !== undefined) continue
    const content = fresh.get(blobId)
    if (content === undefined) throw new BaseLost(`the content of "${path}" was not read`)
    carried.set(blobId, content)
  }
  return carried
}

async function asSnapshot(
  packs: Packs,
  { files, fresh }: Contents,
): Promise<{ base: Base; bytes: Uint8Array }> {
  const present = [...files.values()].filter(({ size }) => size > 0)
  await packs.add(pick(fresh, present, packs))
  await repack(packs, present)
  const bytes = encodeSnapshot(files.values(), (blobId) => packs.find(blobId))
  const stored = named('tree', bytes)
  return { base: { stored, snapshot: decodeSnapshot(bytes) }, bytes }
}

function packsOf(packs: Packs, files: readonly TreeFile[]): Map<string, PackRef> {
  const named = new Map<string, PackRef>()
  for (const { blobId } of files) {
    const pack = packs.find(blobId)
    if (pack !== undefined) named.set(pack.digest, pack)
  }
  return named
}

/** Bytes that are stored under their own digest: the same ones are stored once. */
export function named(family: 'tree' | 'archive', bytes: Uint8Array): StoredBytes {
  const stored = describe(bytes)
  return { ...stored, object: `${family}/${stored.digest.slice('sha256:'.length)}` }
}

function describe(bytes: Uint8Array): { digest: string; size: number } {
  return { digest: digestOf(bytes), size: bytes.length }
}
