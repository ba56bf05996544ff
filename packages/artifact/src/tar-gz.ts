import { createHash } from 'node:crypto'
import { pipeline, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { createGzip, gzip } from 'node:zlib'
import { tarEntry, tarTrailer } from './tar-entry.ts'
import type { ArchiveMembers } from './tar-members.ts'
import type { TreeFile } from './tree-file.ts'

/** Files in a member, on average. */
const MEAN_FILES = 64
/** Bytes of the files of a member, after which it ends in any case. */
const MAX_BYTES = 256 * 1024
/** A member with more than this is sent as it is compressed, and not remembered. */
const MAX_HELD_BYTES = 1024 * 1024
const LEVEL = 6

type Read = (file: TreeFile) => Promise<Uint8Array> | Uint8Array

/** Entries that are compressed together. */
interface Member {
  /** Directories that have not come before, each ahead of its first file. */
  entries: { directories: string[]; file: TreeFile }[]
  bytes: number
}

/**
 * Packs a tree as Flux does: in the order of a lexical walk with an entry for each directory, without symlinks,
 * without owners and times, modes 0750, 0600 and 0700. The same tree gives the same bytes.
 *
 * The gzip file consists of many members, one after the other. Where one ends depends on the paths alone, so that a tree
 * that differs in a few files has all members but theirs in common with the one before: these are not compressed again.
 * Holds no more in memory than one member or content at a time.
 *
 * @param read the content of a file; asked in the order of the archive
 * @param members those that were compressed before
 */
export async function* writeTarGz(
  files: Iterable<TreeFile>,
  read: Read,
  members?: ArchiveMembers,
): AsyncIterable<Uint8Array> {
  for (const member of membersOf(files)) {
    const name = nameOf(member)
    const known = members?.find(name)
    if (known !== undefined) yield known
    else if (member.bytes > MAX_HELD_BYTES) yield* streamed(partsOf(member, read))
    else {
      const compressed = await compress(await buffer(partsOf(member, read)), { level: LEVEL })
      members?.keep(name, compressed)
      yield compressed
    }
  }
  yield await compress(tarTrailer(), { level: LEVEL })
}

/** `sha256:<hex>` of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** An error of the parts comes out of the stream. */
function streamed(parts: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  const gzip = createGzip({ level: LEVEL })
  pipeline(Readable.from(parts), gzip, () => {})
  return gzip
}

const compress = promisify<Uint8Array, { level: number }, Buffer>(gzip)

function* membersOf(files: Iterable<TreeFile>): Iterable<Member> {
  const seen = new Set<string>()
  let member: Member = { entries: [], bytes: 0 }
  let before: string | undefined
  for (const file of sortedByWalk(files)) {
    const directory = file.path.slice(0, Math.max(0, file.path.lastIndexOf('/')))
    const directories = directory === before ? [] : directoriesOf(file.path).filter((path) => !seen.has(path))
    for (const path of directories) seen.add(path)
    before = directory
    member.entries.push({ directories, file })
    member.bytes += file.size
    if (!endsMember(file.path) && member.bytes < MAX_BYTES) continue
    yield member
    member = { entries: [], bytes: 0 }
  }
  if (member.entries.length > 0) yield member
}

function nameOf({ entries }: Member): string {
  const hash = createHash('sha256')
  for (const { directories, file } of entries) {
    for (const directory of directories) hash.update(`${directory}/\n`)
    hash.update(`${file.mode} ${file.blobId}\t${file.path}\n`)
  }
  return hash.digest('base64')
}

async function* partsOf({ entries }: Member, read: Read): AsyncIterable<Uint8Array> {
  for (const { directories, file } of entries) {
    for (const path of directories) yield* tarEntry({ path: `${path}/`, type: 'directory', mode: 0o750 })
    const mode = file.mode === '100755' ? 0o700 : 0o600
    yield* tarEntry({ path: file.path, type: 'file', mode, content: await read(file) })
  }
}

/** FNV-1a of the path: the same ones end a member wherever they stand. */
function endsMember(path: string): boolean {
  let hash = 0x811c9dc5
  for (let at = 0; at < path.length; at += 1) hash = Math.imul(hash ^ path.charCodeAt(at), 0x01000193)
  return (hash >>> 8) % MEAN_FILES === 0
}

/** Names of one directory are sorted, and a directory comes with all below it: compare part by part. */
function sortedByWalk(files: Iterable<TreeFile>): TreeFile[] {
  const keyed: { file: TreeFile; key: string }[] = []
  for (const file of files)
    if (file.mode !== '120000') keyed.push({ file, key: file.path.replaceAll('/', '\0') })
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ file }) => file)
}

function directoriesOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}
