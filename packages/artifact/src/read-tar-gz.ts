import { createHash } from 'node:crypto'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { type Extract as Extraction, extract, type Header } from 'tar-stream'
import { ArtifactError } from './errors.ts'
import type { FileContents } from './tree-file.ts'

/** Bounds on what an archive of a stranger may hold. */
export interface ArchiveLimits {
  /** Bytes of all files together. */
  maxBytes: number
  /** Bytes of one file. */
  maxFileBytes: number
  /** Entries, directories among them. */
  maxFiles: number
  /** Directories in each other. */
  maxDepth: number
  /** Bytes that one compressed byte becomes; what unpacks to less than 16 MiB is taken as it is. */
  maxRatio: number
}

type Entry = Extraction extends AsyncIterable<infer E> ? E : never

/** Headers and padding come on top of the contents: so much for each entry that was read, and for those on their way. */
const ENTRY_BYTES = 4096
const ENTRIES_ON_THEIR_WAY = 1_000
const MAX_NAME = 4096
const RATIO_FREE_BYTES = 16 * 1024 * 1024

/**
 * The files of a .tar.gz, by path, in the order of the archive. As Flux does, symlinks are left out, and hard links,
 * devices and paths that leave the tree refuse the whole archive. Of several files at a path the last one counts. The
 * limits hold while it is unpacked.
 * @throws ArtifactError
 */
export async function readTarGz(
  bytes: Uint8Array,
  limits: ArchiveLimits,
  signal?: AbortSignal,
): Promise<Map<string, FileContents>> {
  const entries = extract()
  const counted = { entries: 0, bytes: 0 }
  const unpacking = pipeline(
    Readable.from([bytes]),
    createGunzip(),
    boundedTo(() => limits.maxBytes + ENTRY_BYTES * (counted.entries + ENTRIES_ON_THEIR_WAY)),
    boundedTo(
      () => Math.max(RATIO_FREE_BYTES, limits.maxRatio * bytes.length),
      `, which is ${limits.maxRatio} times its size, the limit`,
    ),
    entries,
    ...(signal === undefined ? [] : [{ signal }]),
  )
  const failed = unpacking.then(
    () => undefined,
    (error: unknown) => error,
  )
  try {
    const files = await readEntries(entries, limits, counted)
    await unpacking
    return files
  } catch (error) {
    entries.destroy()
    const cause = error instanceof ArtifactError ? error : ((await failed) ?? error)
    throw cause instanceof ArtifactError ? cause : damaged(cause)
  }
}

async function readEntries(
  entries: AsyncIterable<Entry>,
  limits: ArchiveLimits,
  counted: { entries: number; bytes: number },
): Promise<Map<string, FileContents>> {
  const files = new Map<string, FileContents>()
  const directories = new Set<string>()
  for await (const entry of entries) {
    const { header } = entry
    counted.entries += 1
    if (counted.entries > limits.maxFiles) throw tooLarge(`has more than ${limits.maxFiles} entries`)
    const path = plainPath(header.name, limits.maxDepth)
    if (isFile(header)) {
      counted.bytes += checkSize(header, path, limits)
      if (counted.bytes > limits.maxBytes) throw tooLarge(`has files of more than ${limits.maxBytes} bytes`)
      files.set(path, await readFile(entry, path))
    } else if (header.type !== 'directory' && header.type !== 'symlink')
      throw new ArtifactError(
        'Unsupported',
        `the archive has ${quote(path)}, a ${header.type}, which is refused`,
      )
    noteDirectories(header, path, directories)
    entry.resume()
  }
  refuseFilesAsDirectories(files, directories)
  return files
}

const isFile = ({ type }: Header): boolean => type === 'file' || type === 'contiguous-file'

function checkSize({ size = 0 }: Header, path: string, { maxFileBytes }: ArchiveLimits): number {
  if (size <= maxFileBytes) return size
  throw tooLarge(`has ${quote(path)} with ${size} bytes, more than the limit of ${maxFileBytes}`)
}

async function readFile(entry: Entry, path: string): Promise<FileContents> {
  const chunks: Uint8Array[] = []
  for await (const chunk of entry) chunks.push(chunk as Uint8Array)
  const content = Buffer.concat(chunks)
  const blobId = createHash('sha256').update(content).digest('hex')
  const mode = ((entry.header.mode ?? 0) & 0o100) === 0 ? '100644' : '100755'
  return { file: { path, blobId, mode, size: content.length }, content }
}

/** A path without `.` and empty parts. @throws ArtifactError IllegalPath when it leaves the tree */
function plainPath(name: string, maxDepth: number): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  const leaves = name.startsWith('/') || parts.includes('..') || /[\\\0]/.test(name) || name.length > MAX_NAME
  if (leaves) throw illegal(`the archive has the path ${quote(name)}, which is refused`)
  if (parts.length > maxDepth + 1)
    throw tooLarge(`has ${quote(name)}, which is more than ${maxDepth} directories deep`)
  return parts.join('/')
}

function noteDirectories({ type }: Header, path: string, directories: Set<string>): void {
  if (type === 'directory') directories.add(path)
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
    directories.add(path.slice(0, at))
}

function refuseFilesAsDirectories(files: ReadonlyMap<string, FileContents>, directories: Set<string>): void {
  for (const path of files.keys())
    if (path === '' || directories.has(path))
      throw illegal(`the archive has ${quote(path)} both as a file and as a directory`)
}

/** Fails when more comes through: of what a small file unpacks to, no more than this is ever held. */
function boundedTo(maxBytes: () => number, why = ''): Transform {
  let passed = 0
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      passed += chunk.length
      if (passed > maxBytes()) done(tooLarge(`unpacks to more than ${maxBytes()} bytes${why}`))
      else done(null, chunk)
    },
  })
}

const quote = (path: string): string => JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path)

function tooLarge(what: string): ArtifactError {
  return new ArtifactError('TooLarge', `the archive ${what}`)
}

function illegal(message: string): ArtifactError {
  return new ArtifactError('IllegalPath', message)
}

function damaged(cause: unknown): ArtifactError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new ArtifactError('Damaged', `the archive is no .tar.gz that can be read: ${reason}`, { cause })
}
