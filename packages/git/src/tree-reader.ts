import { GitError } from './errors.ts'
import type { TreeEntry } from './mirror-types.ts'
import type { TreeItem } from './parse-tree.ts'
import { checkName } from './tree-names.ts'

/** A file below some directory; its path is relative to that directory. */
type Relative = TreeEntry

interface Level {
  entries: { name: string; mode: string; oid: string; isTree: boolean }[]
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
    const used = new Map<string, Level>()
    const entries: Relative[] = []
    await this.collect(root, '', 0, used, entries)
    this.levels = used
    return entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  }

  private async collect(
    oid: string,
    directory: string,
    depth: number,
    used: Map<string, Level>,
    into: TreeEntry[],
  ): Promise<void> {
    const { maxDepth, maxFiles } = this.limits
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
      if (isTree) await this.collect(child, path, depth + 1, used, into)
      else into.push({ path, oid: child, mode: mode as TreeEntry['mode'] })
    }
    if (into.length > maxFiles)
      throw new GitError('TooLarge', `the repository has more than ${maxFiles} files`)
  }

  private async load(oid: string, directory: string): Promise<Level> {
    const items = await this.readLevel(oid)
    return {
      entries: items.map(({ name, mode, oid: child, isTree }) => {
        checkName(name, directory)
        return { name, oid: child, isTree, mode: fileMode(mode) }
      }),
    }
  }
}

/** Old repositories have modes such as 100664, which Git takes as 100644. */
function fileMode(mode: string): string {
  return MODES.has(mode) ? mode : '100644'
}
