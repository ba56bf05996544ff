import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { tarEntry, tarTrailer } from './tar-entry.ts'
import type { TreeFile } from './tree-file.ts'

/** The compressor is given pieces of this size whatever the files are: its output must not depend on how it is fed. */
const PIECE_BYTES = 256 * 1024

/**
 * Packs a tree as Flux does: in the order of a lexical walk with an entry for each directory, without symlinks,
 * without owners and times, modes 0750, 0600 and 0700. The same tree gives the same bytes. Holds no more in memory than
 * one content at a time. @param read the content of a file; asked in the order of the archive
 */
export function writeTarGz(
  files: Iterable<TreeFile>,
  read: (file: TreeFile) => Promise<Uint8Array> | Uint8Array,
): AsyncIterable<Buffer> {
  const source = Readable.from(pieces(entries(files, read)), { objectMode: true, highWaterMark: 2 })
  const gzip = createGzip({ level: 6, chunkSize: PIECE_BYTES })
  source.on('error', (error) => gzip.destroy(error))
  return source.pipe(gzip)
}

/** `sha256:<hex>` of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

async function* entries(
  files: Iterable<TreeFile>,
  read: (file: TreeFile) => Promise<Uint8Array> | Uint8Array,
): AsyncIterable<Uint8Array> {
  const seen = new Set<string>()
  const regular = [...files].filter(({ mode }) => mode !== '120000')
  for (const file of regular.sort((a, b) => byWalk(a.path, b.path))) {
    for (const directory of directoriesOf(file.path)) {
      if (seen.has(directory)) continue
      seen.add(directory)
      yield* tarEntry({ path: `${directory}/`, type: 'directory', mode: 0o750 })
    }
    const content = await read(file)
    yield* tarEntry({ path: file.path, type: 'file', mode: file.mode === '100755' ? 0o700 : 0o600, content })
  }
  yield tarTrailer()
}

async function* pieces(parts: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  let piece = Buffer.allocUnsafe(PIECE_BYTES)
  let used = 0
  for await (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const end = Math.min(part.length, at + PIECE_BYTES - used)
      piece.set(part.subarray(at, end), used)
      used += end - at
      at = end
      if (used < PIECE_BYTES) continue
      yield piece
      piece = Buffer.allocUnsafe(PIECE_BYTES)
      used = 0
    }
  }
  if (used > 0) yield piece.subarray(0, used)
}

/** Names of one directory are sorted, and a directory comes with all below it: compare part by part. */
function byWalk(a: string, b: string): number {
  const left = a.replaceAll('/', '\0')
  const right = b.replaceAll('/', '\0')
  return left < right ? -1 : left > right ? 1 : 0
}

function directoriesOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}
