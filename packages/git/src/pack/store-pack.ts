import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GitError } from '../errors.ts'
import { translateReadError } from '../translate-error.ts'
import { PackCompletion } from './complete-pack.ts'
import { HASH_BYTES } from './entry.ts'
import type { GitObject } from './git-object.ts'
import { DamagedPack, DEFAULT_PACK_LIMITS, type PackLimits } from './limits.ts'
import type { ObjectStore } from './object-store.ts'
import { PackFile } from './pack-file.ts'
import { encodeIndex } from './pack-index.ts'
import { type Received, receivePack } from './receive-pack.ts'
import { DeltaResolver } from './resolve-deltas.ts'
import { Turns } from './turns.ts'
import { walkPack } from './walk-pack.ts'

/** A pack that is in a repository. */
export interface StoredPack {
  /** Of its files, without the extension. A pack without objects has none. */
  name: string
  objects: number
  /** Of the pack as it arrived. */
  bytes: number
}

/** As Git calls what it has not finished; a crash may leave some. */
const UNFINISHED = 'tmp_'

/**
 * Stores a pack while it arrives: on disk first, then checked, its deltas resolved, and indexed, all in memory that does not
 * depend on the size of the pack. It becomes visible as a whole. Its deltas may have bases that the repository has.
 * @throws GitError TooLarge for one that is beyond a bound, ProtocolError for one that lies or is damaged, Damaged when the
 * repository lacks such a base
 */
export async function storePack(
  store: ObjectStore,
  chunks: AsyncIterable<Uint8Array>,
  limits: PackLimits = DEFAULT_PACK_LIMITS,
  { signal }: { signal?: AbortSignal } = {},
): Promise<StoredPack> {
  const { directory } = store
  await mkdir(directory, { recursive: true })
  const id = randomUUID()
  const packPath = join(directory, `${UNFINISHED}pack_${id}`)
  const indexPath = join(directory, `${UNFINISHED}idx_${id}`)
  try {
    const received = await receivePack(packPath, chunks, limits)
    if (received.objects === 0) return { name: '', objects: 0, bytes: received.bytes }
    const made = await indexPack(packPath, received, { store, limits, turns: new Turns(signal) })
    await writeFile(indexPath, made.index)
    const name = `pack-${made.hash.toString('hex')}`
    // A pack is seen when its index is there.
    await rename(packPath, join(directory, `${name}.pack`))
    await rename(indexPath, join(directory, `${name}.idx`))
    return { name, objects: made.objects, bytes: received.bytes }
  } catch (cause) {
    if (!(cause instanceof DamagedPack)) throw cause
    throw new GitError('ProtocolError', `the pack that the server sent cannot be used: ${cause.message}`)
  } finally {
    await rm(packPath, { force: true })
    await rm(indexPath, { force: true })
  }
}

/** Deletes what a crash left of packs that were being stored. */
export async function removeUnfinished({ directory }: ObjectStore): Promise<void> {
  const files = await readdir(directory).catch(() => [])
  const seen = new Set(files.filter((file) => file.endsWith('.idx')).map((file) => file.slice(0, -4)))
  const isUnfinished = (file: string) =>
    file.startsWith(UNFINISHED) || (file.endsWith('.pack') && !seen.has(file.slice(0, -5)))
  for (const file of files.filter(isUnfinished)) await rm(join(directory, file), { force: true })
}

/** Checks a pack that has arrived, names its objects and makes its index. */
async function indexPack(
  path: string,
  { bytes, objects, hash }: Received,
  { store, limits, turns }: { store: ObjectStore; limits: PackLimits; turns: Turns },
): Promise<{ objects: number; hash: Buffer; index: Buffer }> {
  const file = new PackFile(path, bytes - HASH_BYTES)
  const walked = await walkPack(file, objects, limits, turns)
  const { table, waiting } = walked
  const resolver = new DeltaResolver(file, walked, limits, turns)
  await resolver.resolveAll()
  if (waiting.size === 0) return { objects, hash, index: await encodeIndex(table, hash, turns) }

  await using completion = await PackCompletion.open(file, table)
  for (const oid of waiting.keys()) {
    const base = await findBase(store, oid)
    if (base !== undefined) await resolver.resolveFrom(await completion.add(base))
  }
  // The server was told what is here: mostly it is right.
  if (waiting.size > 0)
    throw new GitError('Damaged', 'the server sent deltas on objects that the copy on disk does not have')
  const newHash = await completion.finish(turns)
  return { objects: table.count, hash: newHash, index: await encodeIndex(table, newHash, turns) }
}

async function findBase(store: ObjectStore, oid: string): Promise<GitObject | undefined> {
  try {
    return await store.find(oid)
  } catch (cause) {
    throw translateReadError(cause, `object ${oid}`)
  }
}
