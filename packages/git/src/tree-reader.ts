import { GitError } from './errors.ts'
import type { TreeEntry } from './mirror-types.ts'
import type { TreeItem } from './parse-tree.ts'
import { checkName, illegalName } from './tree-names.ts'

interface Level {
  entries: { name: string; mode: string; oid: string; isTree: boolean }[]
}

/** What was met so far. */
interface Found {
  entries: TreeEntry[]
  directories: number
  /** By the ids of the trees. */
  used: Map<string, Level>
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
    const found: Found = { entries: [], directories: 0, used: new Map() }
    await this.collect(root, '', 0, found)
    this.levels = found.used
    return found.entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  }

  private async collect(oid: string, directory: string, depth: number, found: Found): Promise<void> {
    const { maxDepth, maxFiles } = this.limits
    const { entries, used } = found
    if (depth > maxDepth)
      throw new GitError(
        'IllegalPath',
        `directories are nested deeper than ${maxDepth}: "${directory.slice(0, 200)}…"`,
      )
    const level = used.get(oid) ?? this.levels.get(oid) ?? (await this.load(oid, directory))
    used.set(oid, level)
    for (const { name, mode, oid: child, isTree } of level.entries) {
      const path = directory === '' ? name : `${directory}/${name}`
      if (path.length > MAX_PATH)
        throw new GitError('IllegalPath', `the path "${path.slice(0, 200)}…" is longer than ${MAX_PATH}`)
      if (isTree) await this.collect(child, path, depth + 1, found)
      else entries.push({ path, oid: child, mode: mode as TreeEntry['mode'] })
    }
    // A few trees that hold each other many times are more directories than anybody can count.
    found.directories += 1
    if (entries.length > maxFiles || found.directories > maxFiles)
      throw new GitError('TooLarge', `the repository has more than ${maxFiles} files`)
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
