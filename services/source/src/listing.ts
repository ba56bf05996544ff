import { createHash } from 'node:crypto'
import {
  type Changes,
  changesBetween,
  fileAt,
  followedBy,
  PackBuilder,
  type TreeFile,
} from '@setpoint/artifact'
import { type LfsPointer, parseLfsPointer, type RemoteOptions, resolveLfs } from '@setpoint/git'
import type { SourceContext, Task } from './context.ts'
import type { SourceEntry } from './entry.ts'
import { SourceFailure } from './failure.ts'
import { ignoreRules } from './ignore-rules.ts'
import type { Base, Blob, Known, Listed } from './known.ts'
import type { Packs } from './storage/packs.ts'

/** The files of an artifact, and what of their contents is not stored yet. */
export interface Listing extends Listed {
  /** What the contents are, by what the origin calls them. */
  blobs: Map<string, Blob>
  /** Contents that are in no pack. */
  fresh: PackBuilder
}

/** What was read of some files. */
interface Read extends Pick<Listing, 'blobs' | 'fresh'> {
  files: Map<string, TreeFile>
}

/** A file whose content is in Git LFS, and the pointer that stands for it. */
interface Pointing {
  entry: SourceEntry
  pointer: LfsPointer
  remote: RemoteOptions
}

/**
 * The files that belong in the artifact: with takesAll, those that are ignored too. Only contents that are not known yet
 * are read, and those that fill a pack are stored at once: no more than a pack is held in memory.
 * @throws GitError, SourceFailure, BusError
 */
export async function readListing(
  context: SourceContext,
  task: Task,
  entries: SourceEntry[],
  { takesAll = false }: { takesAll?: boolean } = {},
): Promise<Listing> {
  const excluded = takesAll ? () => false : await ignoreRules(task, entries)
  const total = new Total(context.limits.artifactBytes)
  const included = entries.filter(({ path }) => !excluded(path))
  const { files, ...read } = await readEntries(context, task, included, total)
  const before = task.known.base?.snapshot.files ?? new Map()
  return { ...read, changes: changesBetween(before, files), count: files.size, bytes: total.bytes }
}

/** What was published last, and what of it is not so any more. */
interface Change {
  last: Listed
  base: Base
  excludes(path: string): boolean
  entries: SourceEntry[]
  removed: readonly string[]
}

/**
 * The files that belong in the artifact, when some have changed since the last one was listed. Costs what these do.
 * @throws GitError, SourceFailure, BusError
 */
export async function readChanges(
  context: SourceContext,
  task: Task,
  { last, base, excludes, entries, removed }: Change,
): Promise<Listing> {
  const before = base.snapshot.files
  const lastAt = (path: string) => fileAt(before, last.changes, path)
  const included = entries.filter(({ path }) => !excludes(path))
  const gone = removed.filter((path) => lastAt(path) !== undefined)
  const replaced = included.flatMap(({ path }) => lastAt(path) ?? [])
  const total = new Total(context.limits.artifactBytes, last.bytes)
  for (const path of gone) total.take(lastAt(path)?.size ?? 0)
  for (const { size } of replaced) total.take(size)
  const { files, blobs, fresh } = await readEntries(context, task, included, total)
  const next: Changes = new Map([...gone.map((path) => [path, undefined] as const), ...files])
  for (const [oid, blob] of blobs) task.known.blobs.set(oid, blob)
  return {
    changes: followedBy(before, last.changes, next),
    count: last.count + included.length - replaced.length - gone.length,
    bytes: total.bytes,
    blobs: task.known.blobs,
    fresh,
  }
}

/** Only contents that are not known yet are read. */
async function readEntries(
  context: SourceContext,
  task: Task,
  entries: SourceEntry[],
  total: Total,
): Promise<Read> {
  const read: Read = { files: new Map(), blobs: new Map(), fresh: new PackBuilder() }
  const pointing: Pointing[] = []
  for (const entry of entries) {
    const blob = read.blobs.get(entry.oid) ?? heldBlob(context.packs, task.known, entry)
    if (blob !== undefined) {
      checkFile(entry.path, blob.size, context.limits.fileBytes)
      total.add(blob.size)
      put(read, entry, blob)
      continue
    }
    const content = await entry.read()
    const pointer = entry.remote === undefined ? undefined : parseLfsPointer(content)
    if (pointer !== undefined && entry.remote !== undefined) {
      pointing.push({ entry, pointer, remote: entry.remote })
      continue
    }
    checkFile(entry.path, content.length, context.limits.fileBytes)
    total.add(content.length)
    put(read, entry, await take(context.packs, read, content))
  }
  await fillPointers(context, read, pointing, total)
  return read
}

/** What a content is, when it is stored and was read before by this very source. */
export function heldBlob(
  packs: Packs,
  known: Known,
  { oid, blob: given }: Pick<SourceEntry, 'oid' | 'blob'>,
): Blob | undefined {
  const blob = given ?? known.blobs.get(oid)
  if (blob === undefined) return undefined
  const isHeld = blob.size === 0 || packs.find(blob.blobId) !== undefined || known.fresh.has(blob.blobId)
  return isHeld ? blob : undefined
}

function put({ files, blobs }: Read, { path, oid, mode }: SourceEntry, blob: Blob): void {
  blobs.set(oid, blob)
  files.set(path, { path, mode, ...blob })
}

/** Takes a content over, unless some source holds it already. */
async function take(packs: Packs, { fresh }: Read, content: Uint8Array): Promise<Blob> {
  const blobId = createHash('sha256').update(content).digest('hex')
  const isStored = content.length === 0 || packs.find(blobId) !== undefined
  const full = isStored ? undefined : fresh.add(blobId, content)
  if (full !== undefined) await packs.add(full)
  return { blobId, size: content.length }
}

/** Files in Git LFS take the place of their pointers. They are asked for even if another source has them: it may see more. */
async function fillPointers(
  context: SourceContext,
  read: Read,
  pointing: Pointing[],
  total: Total,
): Promise<void> {
  for (const [remote, own] of Map.groupBy(pointing, (each) => each.remote)) {
    const pointers = own.map(({ pointer }) => pointer)
    const contents = await resolveLfs(remote, pointers, { maxBytes: context.limits.artifactBytes })
    for (const { entry, pointer } of own) {
      const content = contents.get(pointer.oid) ?? NOTHING
      checkFile(entry.path, content.length, context.limits.fileBytes)
      total.add(content.length)
      put(read, entry, await take(context.packs, read, content))
    }
  }
}

const NOTHING = new Uint8Array()

/** Bytes of all files together. */
class Total {
  bytes: number
  private readonly limit: number

  constructor(limit: number, bytes = 0) {
    this.limit = limit
    this.bytes = bytes
  }

  add(bytes: number): void {
    this.bytes += bytes
    checkTotal(this.bytes, this.limit)
  }

  /** Bytes of a file that is not there any more. */
  take(bytes: number): void {
    this.bytes -= bytes
  }
}

function checkFile(path: string, size: number, limit: number): void {
  if (size <= limit) return
  throw new SourceFailure(
    'StorageOperationFailed',
    'ArchiveOperationFailed',
    `"${path}" has ${size} bytes, more than the limit of ${limit} (--max-file-bytes); leave it out with spec.ignore`,
  )
}

function checkTotal(bytes: number, limit: number): void {
  if (bytes <= limit) return
  throw new SourceFailure(
    'StorageOperationFailed',
    'ArchiveOperationFailed',
    `the files of the artifact have more than ${limit} bytes, the limit of the source service (--max-artifact-bytes); leave files out with spec.ignore`,
  )
}
