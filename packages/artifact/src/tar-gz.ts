import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { tarEntry, tarTrailer } from './tar-entry.ts'
import type { FileContents } from './tree-file.ts'

const compress = promisify(gzip)

/** A finished archive. */
export interface Archive {
  bytes: Uint8Array
  /** `sha256:<hex>` of the bytes. */
  digest: string
  /** Bytes. */
  size: number
}

/**
 * Packs a tree as Flux does: in the order of a lexical walk with an entry for each directory, without symlinks,
 * without owners and times, modes 0750, 0600 and 0700. The same tree gives the same bytes.
 */
export async function writeTarGz(files: Iterable<FileContents>): Promise<Archive> {
  const bytes = await compress(Buffer.concat([...entries(files), tarTrailer()]), { level: 6 })
  return describeArchive(bytes)
}

/** An archive that is there already. */
export function describeArchive(bytes: Uint8Array): Archive {
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: bytes.length }
}

function* entries(files: Iterable<FileContents>): Iterable<Uint8Array> {
  const seen = new Set<string>()
  const regular = [...files].filter(({ file }) => file.mode !== '120000')
  for (const { file, content } of regular.sort((a, b) => byWalk(a.file.path, b.file.path))) {
    for (const directory of directoriesOf(file.path)) {
      if (seen.has(directory)) continue
      seen.add(directory)
      yield* tarEntry({ path: `${directory}/`, type: 'directory', mode: 0o750 })
    }
    yield* tarEntry({ path: file.path, type: 'file', mode: file.mode === '100755' ? 0o700 : 0o600, content })
  }
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
