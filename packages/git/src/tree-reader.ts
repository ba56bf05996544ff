import { GitError } from './errors.ts'
import type { TreeChanges, TreeEntry } from './mirror-types.ts'
import type { TreeItem } from './parse-tree.ts'
import { checkName, illegalName } from './tree-names.ts'

interface LevelEntry {
  name: string
  mode: string
  oid: string
  isTree: boolean
}

interface Level {
  entries: LevelEntry[]
}

/** What was met so far. */
interface Found {
  entries: TreeEntry[]
  directories: number
  /** By the ids of the trees. */
  used: Map<string, Level>
}

/** What was met of two trees where they differ. */
interface Changed {
  before: Found
  after: Found
}

const MODES = new Set(['100644', '100755', '120000', '160000'])
/** Characters of a path: no file system has longer ones. */
const MAX_PATH = 4096
/** Bounds on a tree. */
export interface TreeLimits {
  /** Directories in each other. */
  maxDepth: number
  maxFiles: number
}

export const DEFAULT_TREE_LIMITS: TreeLimits = { maxDepth: 100, maxFiles: 1_000_000 }

/**
 * Reads whole trees. What a directory holds is remembered by its tree id, so that a commit that touches one file
 * reads only the directories above it. Remembers no more than the last tree needed.
 */
export class TreeReader {
  private readonly readLevel: (oid: string) => Promise<TreeItem[]>
  private readonly limits: TreeLimits
  private levels = new Map<string, Level>()

  constructor(readLevel: (oid: string) => Promise<TreeItem[]>, limits: TreeLimits = DEFAULT_TREE_LIMITS) {
    this.readLevel = readLevel
    this.limits = limits
  }

  /** Every file below a root tree, sorted by path. @throws GitError */
  async read(root: string): Promise<TreeEntry[]> {
    const found = newFound()
    await this.collect(root, '', 0, found)
    this.levels = found.used
    return found.entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  }

  /** What differs between two root trees. Reads and looks at only those directories that do. @throws GitError */
  async changes(from: string, to: string): Promise<TreeChanges> {
    const found: Changed = { before: newFound(), after: newFound() }
    await this.compare(from, to, '', 0, found)
    for (const oid of found.before.used.keys()) this.levels.delete(oid)
    for (const [oid, level] of found.after.used) this.levels.set(oid, level)
    const [before, entries] = [filesOf(found.before), filesOf(found.after)]
    const paths = new Set(entries.map(({ path }) => path))
    return { entries, removed: before.map(({ path }) => path).filter((path) => !paths.has(path)) }
  }

  /** Adds what is only in one of two directories, or otherwise in it. */
  private async compare(
    from: string,
    to: string,
    directory: string,
    depth: number,
    found: Changed,
  ): Promise<void> {
    checkDepth(directory, depth, this.limits.maxDepth)
    const [before, after] = [
      await this.level(from, directory, found.before),
      await this.level(to, directory, found.after),
    ]
    const old = new Map(before.entries.map((entry) => [entry.name, entry]))
    for (const entry of after.entries) {
      const other = old.get(entry.name)
      old.delete(entry.name)
      if (other?.oid === entry.oid && other.mode === entry.mode) continue
      if (other?.isTree && entry.isTree) {
        await this.compare(other.oid, entry.oid, join(directory, entry.name), depth + 1, found)
        continue
      }
      if (other !== undefined) await this.add(other, directory, depth, found.before)
      await this.add(entry, directory, depth, found.after)
    }
    for (const entry of old.values()) await this.add(entry, directory, depth, found.before)
    this.count(found.after)
  }

  private async collect(oid: string, directory: string, depth: number, found: Found): Promise<void> {
    checkDepth(directory, depth, this.limits.maxDepth)
    const { entries } = await this.level(oid, directory, found)
    for (const entry of entries) await this.add(entry, directory, depth, found)
    this.count(found)
  }

  /** A file, or all that is in a directory. */
  private async add(entry: LevelEntry, directory: string, depth: number, found: Found): Promise<void> {
    const { name, mode, oid, isTree } = entry
    const path = join(directory, name)
    if (path.length > MAX_PATH)
      throw new GitError('IllegalPath', `the path "${path.slice(0, 200)}…" is longer than ${MAX_PATH}`)
    if (isTree) await this.collect(oid, path, depth + 1, found)
    else found.entries.push({ path, oid, mode: mode as TreeEntry['mode'] })
  }

  /** A few trees that hold each other many times are more directories than anybody can count. */
  private count(found: Found): void {
    const { maxFiles } = this.limits
    found.directories += 1
    if (found.entries.length > maxFiles || found.directories > maxFiles)
      throw new GitError('TooLarge', `the repository has more than ${maxFiles} files`)
  }

  private async level(oid: string, directory: string, { used }: Found): Promise<Level> {
    const level = used.get(oid) ?? this.levels.get(oid) ?? (await this.load(oid, directory))
    used.set(oid, level)
    return level
  }

  private async load(oid: string, directory: string): Promise<Level> {
    const items = await this.readLevel(oid)
    refuseTwice(items, directory)
    return {
      entries: items.map(({ name, mode, oid: child, isTree }) => {
        checkName(name, directory)
        return { name, oid: child, isTree, mode: fileMode(mode) }
      }),
    }
  }
}

function newFound(): Found {
  return { entries: [], directories: 0, used: new Map() }
}

/** Without submodules, which are no files. */
function filesOf({ entries }: Found): TreeEntry[] {
  return entries.filter(({ mode }) => mode !== '160000')
}

function checkDepth(directory: string, depth: number, maxDepth: number): void {
  if (depth <= maxDepth) return
  throw new GitError(
    'IllegalPath',
    `directories are nested deeper than ${maxDepth}: "${directory.slice(0, 200)}…"`,
  )
}

const join = (directory: string, name: string): string => (directory === '' ? name : `${directory}/${name}`)

/** A file, or a link, that is a directory as well would let one write where the other points to. @throws GitError */
function refuseTwice(items: readonly TreeItem[], directory: string): void {
  const names = new Set<string>()
  for (const { name } of items) {
    if (names.has(name)) throw illegalName(name, directory, 'twice the name')
    names.add(name)
  }
}

/** Old repositories have modes such as 100664, which Git takes as 100644. */
function fileMode(mode: string): string {
  return MODES.has(mode) ? mode : '100644'
}
