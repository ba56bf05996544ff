import type { TreeFile } from '@setpoint/artifact'
import { compileIgnore, type Ignore, parseLfsPointer, resolveLfs, SOURCE_IGNORE } from '@setpoint/git'
import type { SourceContext, Task } from './context.ts'
import type { SourceEntry } from './entry.ts'
import { SourceFailure } from './failure.ts'
import type { Known } from './known.ts'

/** The files of an artifact, and the contents that had to be read to know them. */
export interface Listing {
  files: Map<string, TreeFile>
  /** Contents by blob id: of every blob that the snapshot does not hold. */
  fresh: Map<string, Uint8Array>
}

/**
 * The files that belong in the artifact: with takesAll, those that are ignored too. Only contents that the snapshot does not hold are read: Git does not say
 * how large a blob is. @throws GitError, SourceFailure
 */
export async function readListing(
  context: SourceContext,
  task: Task,
  entries: SourceEntry[],
  { takesAll = false }: { takesAll?: boolean } = {},
): Promise<Listing> {
  const excluded = takesAll ? () => false : await ignoreRules(task, entries)
  const sizes = knownSizes(task.known)
  const listing: Listing = { files: new Map(), fresh: new Map() }
  const pointers: SourceEntry[] = []
  let total = 0
  for (const entry of entries) {
    if (excluded(entry.path)) continue
    const file = await toFile(task.known, entry, sizes, listing.fresh)
    total += file.size
    checkFile(file, context.limits.fileBytes)
    checkTotal(total, context.limits.artifactBytes)
    listing.files.set(file.path, file)
    if (parseLfsPointer(listing.fresh.get(entry.oid) ?? NOTHING) !== undefined) pointers.push(entry)
  }
  await fillPointers(context, listing, pointers)
  return listing
}

const NOTHING = new Uint8Array()

/** Files in Git LFS take the place of their pointers. */
async function fillPointers(
  context: SourceContext,
  { files, fresh }: Listing,
  entries: SourceEntry[],
): Promise<void> {
  for (const [remote, own] of Map.groupBy(entries, (entry) => entry.remote)) {
    if (remote === undefined) continue
    const pointers = own.flatMap(({ oid }) => parseLfsPointer(fresh.get(oid) ?? NOTHING) ?? [])
    const contents = await resolveLfs(remote, pointers, { maxBytes: context.limits.artifactBytes })
    for (const [blobId, pointer] of new Map(own.map(({ oid }, index) => [oid, pointers[index]]))) {
      const content = contents.get(pointer?.oid ?? '')
      if (content !== undefined) fresh.set(blobId, content)
    }
    for (const { path, oid } of own) {
      const file = files.get(path)
      if (file !== undefined) files.set(path, { ...file, size: fresh.get(oid)?.length ?? file.size })
    }
  }
  let total = 0
  for (const { size } of files.values()) total += size
  checkTotal(total, context.limits.artifactBytes)
}

async function toFile(
  known: Known,
  { path, oid, mode, read }: SourceEntry,
  sizes: ReadonlyMap<string, number>,
  fresh: Map<string, Uint8Array>,
): Promise<TreeFile> {
  const size = sizes.get(oid)
  if (size !== undefined) return { path, blobId: oid, mode, size }
  const content = fresh.get(oid) ?? known.fresh.get(oid) ?? (await read())
  fresh.set(oid, content)
  return { path, blobId: oid, mode, size: content.length }
}

function knownSizes({ base }: Known): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const { blobId, size } of base?.values() ?? []) sizes.set(blobId, size)
  return sizes
}

function checkFile({ path, size }: TreeFile, limit: number): void {
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

/** The rules are compiled, and a path is looked at, only when a rule has changed or the path is new. */
async function ignoreRules(task: Task, entries: SourceEntry[]): Promise<(path: string) => boolean> {
  const sources = entries.filter(({ path, mode }) => mode !== '120000' && isIgnoreFile(path))
  const spec = task.object.spec.ignore ?? ''
  const key = JSON.stringify([spec, sources.map(({ path, oid }) => [path, oid])])
  const { known } = task
  if (known.ignore?.key !== key)
    known.ignore = { key, rules: await compile(sources, spec), excluded: new Map() }
  const { rules, excluded } = known.ignore
  if (excluded.size > 2 * entries.length + 1000) excluded.clear()
  return (path) => {
    const before = excluded.get(path)
    if (before !== undefined) return before
    const answer = rules.excludes(path)
    excluded.set(path, answer)
    return answer
  }
}

async function compile(sources: SourceEntry[], spec: string): Promise<Ignore> {
  const files = []
  for (const { path, read } of sources)
    files.push({ path, content: Buffer.from(await read()).toString('utf8') })
  return compileIgnore({ files, spec })
}

const isIgnoreFile = (path: string): boolean => path === SOURCE_IGNORE || path.endsWith(`/${SOURCE_IGNORE}`)
