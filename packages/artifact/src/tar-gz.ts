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
  const source = Readable.from(pieces(files, read), { objectMode: true, highWaterMark: 2 })
  const gzip = createGzip({ level: 6, chunkSize: PIECE_BYTES })
  source.on('error', (error) => gzip.destroy(error))
  return source.pipe(gzip)
}

/** `sha256:<hex>` of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

async function* pieces(
  files: Iterable<TreeFile>,
  read: (file: TreeFile) => Promise<Uint8Array> | Uint8Array,
): AsyncIterable<Buffer> {
  const cutter = new Cutter()
  const seen = new Set<string>()
  const regular = [...files].filter(({ mode }) => mode !== '120000')
  for (const file of sortedByWalk(regular)) {
    for (const directory of directoriesOf(file.path)) {
      if (seen.has(directory)) continue
      seen.add(directory)
      cutter.add(tarEntry({ path: `${directory}/`, type: 'directory', mode: 0o750 }))
    }
    const mode = file.mode === '100755' ? 0o700 : 0o600
    cutter.add(tarEntry({ path: file.path, type: 'file', mode, content: await read(file) }))
    yield* cutter.take()
  }
  cutter.add([tarTrailer()])
  yield* cutter.take()
  yield cutter.rest()
}

/** Makes pieces of one size of parts of any size. */
class Cutter {
  private full: Buffer[] = []
  private piece = Buffer.allocUnsafe(PIECE_BYTES)
  private used = 0

  add(parts: Iterable<Uint8Array>): void {
    for (const part of parts)
      for (let at = 0; at < part.length; ) at += this.fill(part.subarray(at, at + PIECE_BYTES - this.used))
  }

  take(): Buffer[] {
    const { full } = this
    if (full.length > 0) this.full = []
    return full
  }

  rest(): Buffer {
    return this.piece.subarray(0, this.used)
  }

  private fill(part: Uint8Array): number {
    this.piece.set(part, this.used)
    this.used += part.length
    if (this.used === PIECE_BYTES) {
      this.full.push(this.piece)
      this.piece = Buffer.allocUnsafe(PIECE_BYTES)
      this.used = 0
    }
    return part.length
  }
}

/** Names of one directory are sorted, and a directory comes with all below it: compare part by part. */
function sortedByWalk(files: TreeFile[]): TreeFile[] {
  const keyed = files.map((file) => ({ file, key: file.path.replaceAll('/', '\0') }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ file }) => file)
}

function directoriesOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}
