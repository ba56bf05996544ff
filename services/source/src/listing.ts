import type { TreeFile } from '@setpoint/artifact'
import {
  compileIgnore,
  GitError,
  type GitMirror,
  type Ignore,
  SOURCE_IGNORE,
  type TreeEntry,
} from '@setpoint/git'
import type { SourceContext, Task } from './context.ts'
import { SourceFailure } from './failure.ts'
import type { Known } from './known.ts'

/** The files of an artifact, and the contents that had to be read to know them. */
export interface Listing {
  files: Map<string, TreeFile>
  /** Contents by blob id: of every blob that the snapshot does not hold. */
  fresh: Map<string, Uint8Array>
}

/**
 * The files of a commit that belong in the artifact. Only contents that the snapshot does not hold are read:
 * Git does not say how large a blob is. @throws GitError, SourceFailure
 */
export async function readListing(
  context: SourceContext,
  task: Task,
  mirror: GitMirror,
  commit: string,
): Promise<Listing> {
  const entries = (await mirror.readTree(commit)).filter(({ mode }) => mode !== '160000')
  const excluded = await ignoreRules(task, mirror, entries)
  const sizes = knownSizes(task.known)
  const listing: Listing = { files: new Map(), fresh: new Map() }
  let total = 0
  for (const entry of entries) {
    if (excluded(entry.path)) continue
    const file = await toFile(task.known, mirror, entry, sizes, listing.fresh)
    total += file.size
    checkTotal(total, context.limits.artifactBytes)
    listing.files.set(file.path, file)
  }
  return listing
}

async function toFile(
  known: Known,
  mirror: GitMirror,
  { path, oid, mode }: TreeEntry,
  sizes: ReadonlyMap<string, number>,
  fresh: Map<string, Uint8Array>,
): Promise<TreeFile> {
  if (mode === '160000') throw new GitError('IllegalPath', `"${path}" is a submodule`)
  const size = sizes.get(oid)
  if (size !== undefined) return { path, blobId: oid, mode, size }
  const content = fresh.get(oid) ?? known.fresh.get(oid) ?? (await mirror.readBlob(oid))
  fresh.set(oid, content)
  return { path, blobId: oid, mode, size: content.length }
}

function knownSizes({ base }: Known): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const { blobId, size } of base?.values() ?? []) sizes.set(blobId, size)
  return sizes
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
async function ignoreRules(
  task: Task,
  mirror: GitMirror,
  entries: TreeEntry[],
): Promise<(path: string) => boolean> {
  const sources = entries.filter(({ path, mode }) => mode !== '120000' && isIgnoreFile(path))
  const spec = task.repository.spec.ignore ?? ''
  const key = JSON.stringify([spec, sources.map(({ path, oid }) => [path, oid])])
  const { known } = task
  if (known.ignore?.key !== key)
    known.ignore = { key, rules: await compile(mirror, sources, spec), excluded: new Map() }
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

async function compile(mirror: GitMirror, sources: TreeEntry[], spec: string): Promise<Ignore> {
  const files = []
  for (const { path, oid } of sources)
    files.push({ path, content: Buffer.from(await mirror.readBlob(oid)).toString('utf8') })
  return compileIgnore({ files, spec })
}

const isIgnoreFile = (path: string): boolean => path === SOURCE_IGNORE || path.endsWith(`/${SOURCE_IGNORE}`)
