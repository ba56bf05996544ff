import {
  applyChanges,
  type Blobs,
  type Changes,
  decodeSnapshot,
  digestAfter,
  digestOf,
  encodeDelta,
  encodeSnapshot,
  freshContents,
  type PackRef,
  type TreeFile,
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
  /** What differs from the base. */
  changes: Changes
  /** The bytes of a snapshot that is new. */
  snapshot?: Uint8Array
  /** Contents that travel in the delta. */
  carried: Blobs
}

/** Stores the contents of a tree that are not stored yet, and says the tree in as few bytes as it takes. */
export async function encodeTree(packs: Packs, known: Known, listing: Listing): Promise<Encoded> {
  const fresh = new Map([...known.fresh, ...listing.fresh.rest()])
  const { changes, count: files } = listing
  const small = known.base && (await asDelta(packs, known.base, changes, fresh))
  if (small !== undefined) return { ...small, tree: { files, ...small.tree } }
  const before = known.base?.snapshot.files ?? new Map()
  const { base, bytes } = await asSnapshot(packs, applyChanges(before, changes), fresh)
  const tree = { digest: base.snapshot.digest, files, snapshot: base.stored }
  return { tree, base, changes: new Map(), snapshot: bytes, carried: new Map() }
}

type Small = Omit<Encoded, 'tree'> & { tree: Omit<ArtifactTree, 'files'> }

/** The change since the snapshot, when it is small. */
async function asDelta(packs: Packs, base: Base, changes: Changes, fresh: Blobs): Promise<Small | undefined> {
  const { snapshot } = base
  const needed = freshContents(snapshot, changes).filter(({ size }) => size > 0)
  const carried = pick(fresh, needed, packs)
  for (const contents of [carried, new Map<string, Uint8Array>()]) {
    if (contents.size === 0) await packs.add(carried)
    if (packsOf(packs, needed).size > MAX_DELTA_PACKS) return undefined
    const bytes = encodeDelta(snapshot, changes, {
      carried: contents,
      packOf: (blobId) => packs.find(blobId),
    })
    if (bytes.length > MAX_DELTA_BYTES) continue
    const delta = { ...describe(bytes), inline: Buffer.from(bytes).toString('base64') }
    const tree = {
      digest: digestAfter(snapshot, changes),
      snapshot: base.stored,
      ...(changes.size === 0 ? {} : { delta }),
    }
    return { tree, base, changes, carried: contents }
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
  files: ReadonlyMap<string, TreeFile>,
  fresh: Blobs,
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
