import type { GitRepository } from '@setpoint/contracts'
import type { GitMirror, RemoteOptions, Resolved, TreeEntry } from '@setpoint/git'
import type { SourceEntry } from '../entry.ts'
import { SourceFailure } from '../failure.ts'
import { isIgnoreFile } from '../ignore-rules.ts'
import { type Listing, readChanges } from '../listing.ts'
import { digestOfUrl } from '../state.ts'
import type { GitContext, GitTask } from './git-context.ts'
import { includedEntries } from './include.ts'
import { downloadFiles } from './pinned.ts'
import type { Recipe } from './recipe.ts'
import { submoduleEntries } from './submodules.ts'

/** A commit, and how an artifact is made of it. */
interface Origin {
  mirror: GitMirror
  remote: RemoteOptions
  resolved: Resolved
  commit: string
  recipe: Recipe
}

/** Names of contents that are remembered for each file that there is, before all of them are listed anew. */
const MAX_NAMES_PER_FILE = 2

/**
 * The files of a commit, from what differs from the commit that was published last. undefined when that does not say
 * all: other rules, or files from elsewhere.
 */
export async function listChanges(
  context: GitContext,
  task: GitTask,
  { mirror, remote, commit, recipe }: Origin,
): Promise<Listing | undefined> {
  const { state, listed: last, base, ignore, blobs } = task.known
  const { spec } = task.object
  if (state === undefined || last === undefined || base === undefined || ignore === undefined)
    return undefined
  if (state.urlDigest !== digestOfUrl(spec.url) || state.recipe !== recipe.digest) return undefined
  if (recipe.includes.length > 0 || spec.recurseSubmodules === true || sparseDirectories(spec))
    return undefined
  if (blobs.size > MAX_NAMES_PER_FILE * last.count + 1000 || !(await mirror.has(state.id))) return undefined
  const { entries, removed } = await mirror.readChanges(state.id, commit)
  if ([...entries.map(({ path }) => path), ...removed].some(isIgnoreFile)) return undefined
  const listing = await readChanges(context, task, {
    last,
    base,
    excludes: (path) => ignore.rules.excludes(path),
    entries: toEntries(entries, mirror, remote),
    removed,
  })
  // Whether the whole is within the limits is for the list of all files to say.
  return listing.count > context.limits.trees.maxFiles ? undefined : listing
}

/** The files of a commit, of its submodules and of what is included; the last one at a path wins. */
export async function collectEntries(
  context: GitContext,
  task: GitTask,
  { mirror, remote, resolved, commit, recipe }: Origin,
): Promise<SourceEntry[]> {
  const whole = await mirror.readTree(commit)
  const tree = sparse(whole, sparseDirectories(task.object.spec))
  const modules = whole.filter(({ path }) => path === '.gitmodules')
  await downloadFiles(context, task, mirror, remote, resolved, [...tree, ...modules])
  const entries = toEntries(tree, mirror, remote)
  if (task.object.spec.recurseSubmodules === true)
    entries.push(...(await submoduleEntries(context, task, { mirror, remote, commit, tree })))
  if (recipe.includes.length === 0) return entries
  entries.push(...(await includedEntries(context, recipe.includes)))
  return [...new Map(entries.map((entry) => [entry.path, entry])).values()]
}

/** The files of a tree; submodules are none. */
export function toEntries(tree: TreeEntry[], mirror: GitMirror, remote: RemoteOptions): SourceEntry[] {
  return tree.flatMap(({ path, oid, mode }) =>
    mode === '160000' ? [] : [{ path, oid, mode, remote, read: () => mirror.readBlob(oid) }],
  )
}

/** The directories to take, plainly written; undefined stands for all. */
export function sparseDirectories({ sparseCheckout = [] }: GitRepository['spec']): string[] | undefined {
  const directories = sparseCheckout.map((directory) => directory.replace(/^\.\//, '').replace(/\/+$/, ''))
  return directories.length === 0 || directories.some((directory) => directory === '' || directory === '.')
    ? undefined
    : directories
}

function sparse(tree: TreeEntry[], directories: string[] | undefined): TreeEntry[] {
  if (directories === undefined) return tree
  for (const directory of directories)
    if (!tree.some(({ path }) => path.startsWith(`${directory}/`)))
      throw new SourceFailure(
        'FetchFailed',
        'GitOperationFailed',
        `spec.sparseCheckout names "${directory}", which is no directory of the commit`,
      )
  return tree.filter(({ path }) => directories.some((directory) => path.startsWith(`${directory}/`)))
}
