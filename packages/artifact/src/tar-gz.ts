import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { pack } from 'tar-stream'
import type { FileContents } from './tree.ts'

const compress = promisify(gzip)

export interface Archive {
  bytes: Uint8Array
  /** `sha256:<hex>` of the bytes. */
  digest: string
}

/**
 * A .tar.gz as Flux makes it, so that its consumers can verify and unpack it: lexical order with directory entries,
 * symlinks dropped, owner and times zeroed, modes 0750 for directories, 0600 for files, 0700 for executables.
 * The same files give the same bytes.
 */
export async function writeTarGz(files: Iterable<FileContents>): Promise<Archive> {
  const archive = pack()
  const chunks: Buffer[] = []
  archive.on('data', (chunk) => chunks.push(chunk as Buffer))
  const ended = new Promise<void>((resolve, reject) => archive.on('end', resolve).on('error', reject))
  const entries = [...withDirectories(files)].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [path, file] of entries) addEntry(archive, path, file)
  archive.finalize()
  await ended
  const bytes = await compress(Buffer.concat(chunks), { level: 1 })
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` }
}

const EPOCH = new Date(0)

function addEntry(archive: ReturnType<typeof pack>, path: string, file: FileContents | undefined): void {
  const owner = { uid: 0, gid: 0, mtime: EPOCH }
  if (file === undefined) archive.entry({ ...owner, name: `${path}/`, type: 'directory', mode: 0o750 })
  else
    archive.entry(
      { ...owner, name: path, mode: file.mode === '100755' ? 0o700 : 0o600 },
      Buffer.from(file.content),
    )
}

/** Files by path, with an entry of undefined for each directory that holds one. */
function withDirectories(files: Iterable<FileContents>): Map<string, FileContents | undefined> {
  const entries = new Map<string, FileContents | undefined>()
  for (const file of files) {
    if (file.mode === '120000') continue
    for (let slash = file.path.indexOf('/'); slash >= 0; slash = file.path.indexOf('/', slash + 1))
      entries.set(file.path.slice(0, slash), undefined)
    entries.set(file.path, file)
  }
  return entries
}
