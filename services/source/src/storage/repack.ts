import { byPath, PackBuilder, type PackRef, type TreeFile } from '@setpoint/artifact'
import type { Packs } from './packs.ts'

/** A pack of which a tree needs less than this share is not worth the reading. */
const MIN_SHARE = 0.25
/** A pack with fewer bytes is small, and a tree is to have no more than so many of them. */
const SMALL_BYTES = 128 * 1024
const MAX_SMALL = 16

/** Contents that are spread thinly over packs go into new ones, so that who reads a tree reads little else. */
export async function repack(packs: Packs, files: readonly TreeFile[]): Promise<void> {
  const thin = thinPacks(packs, files)
  if (thin.size === 0) return
  const builder = new PackBuilder()
  for (const { blobId } of [...files].sort(byPath)) {
    const pack = packs.find(blobId)
    if (pack === undefined || !thin.has(pack.digest)) continue
    const content = (await packs.contents(pack)).get(blobId)
    const full = content && builder.add(blobId, content)
    if (full !== undefined) await packs.add(full)
  }
  await packs.add(builder.rest())
}

function thinPacks(packs: Packs, files: readonly TreeFile[]): Set<string> {
  const used = new Map<string, { pack: PackRef; bytes: number }>()
  const counted = new Set<string>()
  for (const { blobId, size } of files) {
    const pack = packs.find(blobId)
    if (pack === undefined || counted.has(blobId)) continue
    counted.add(blobId)
    const entry = used.get(pack.digest) ?? { pack, bytes: 0 }
    entry.bytes += size
    used.set(pack.digest, entry)
  }
  const all = [...used.values()]
  const small = all.filter(({ pack }) => pack.rawBytes < SMALL_BYTES)
  const thin = all.filter(({ pack, bytes }) => bytes < MIN_SHARE * pack.rawBytes)
  const chosen = small.length > MAX_SMALL ? [...thin, ...small] : thin
  return new Set(chosen.map(({ pack }) => pack.digest))
}
