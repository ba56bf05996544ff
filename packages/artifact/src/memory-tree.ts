import type { Changes } from './changes.ts'
import { type FileContents, isSameFile, type TreeFile } from './tree-file.ts'

interface Directory {
  names: Set<string>
  /** Names, sorted when they are first asked for. */
  sorted: string[] | undefined
}

/**
 * A file tree in memory, for reading: what a build takes as its files. Paths are relative to the root; '' is the root.
 * Lookups cost the same however many files there are.
 */
export class MemoryTree {
  /** What this tree has otherwise than its base; undefined: nothing at that path. */
  private readonly files = new Map<string, FileContents | undefined>()
  private readonly directories = new Map<string, Directory | undefined>()
  private readonly base: MemoryTree | undefined

  constructor(files: Iterable<FileContents>, base?: MemoryTree) {
    this.base = base
    if (base === undefined) this.directories.set('', { names: new Set(), sorted: undefined })
    for (const contents of files) this.put(contents)
  }

  /** This tree after changes. Costs what they do: the rest is shared. */
  after(changes: Changes, contentsOf: (file: TreeFile) => FileContents): MemoryTree {
    const next = new MemoryTree([], this)
    for (const [path, file] of changes) if (file === undefined) next.remove(path)
    for (const file of changes.values()) if (file !== undefined) next.put(contentsOf(file))
    return next
  }

  /** The bytes of a file; undefined when there is none, or it is a directory or a symlink. */
  read(path: string): Uint8Array | undefined {
    const found = this.find(path)
    return found === undefined || found.file.mode === '120000' ? undefined : found.content
  }

  kind(path: string): 'file' | 'directory' | 'symlink' | undefined {
    const found = this.find(path)
    if (found !== undefined) return found.file.mode === '120000' ? 'symlink' : 'file'
    return this.directory(path) === undefined ? undefined : 'directory'
  }

  /** Where a symlink points, as written in it; '' when the path is no symlink. */
  readlink(path: string): string {
    const found = this.find(path)
    return found?.file.mode === '120000' ? new TextDecoder().decode(found.content) : ''
  }

  /** The names in a directory, sorted; none when there is no such directory. */
  list(path: string): string[] {
    const directory = this.directory(path)
    if (directory === undefined) return []
    directory.sorted ??= [...directory.names].sort()
    return directory.sorted
  }

  /** The blob id of a file. */
  id(path: string): string | undefined {
    return this.find(path)?.file.blobId
  }

  /** Every file. */
  *all(): Iterable<FileContents> {
    for (const contents of this.files.values()) if (contents !== undefined) yield contents
    for (const contents of this.base?.all() ?? []) if (!this.files.has(contents.file.path)) yield contents
  }

  /**
   * The files that are not as they were in an earlier tree, and the directories that are there only in one of them or
   * list something else. undefined when both have nothing in common: anything may differ.
   */
  differences(before: MemoryTree): Set<string> | undefined {
    if ((this.base ?? this) !== (before.base ?? before)) return undefined
    const found = new Set<string>()
    for (const tree of [before, this].filter(({ base }) => base !== undefined))
      for (const path of tree.files.keys()) {
        const [old, now] = [before.find(path)?.file, this.find(path)?.file]
        if (isSameFile(old, now)) continue
        found.add(path)
        if (old === undefined || now === undefined)
          for (const above of directoriesAbove(path)) found.add(above)
      }
    return found
  }

  private find(path: string): FileContents | undefined {
    return this.files.has(path) ? this.files.get(path) : this.base?.find(path)
  }

  private directory(path: string): Directory | undefined {
    return this.directories.has(path) ? this.directories.get(path) : this.base?.directory(path)
  }

  private put(contents: FileContents): void {
    const { path } = contents.file
    this.files.set(path, contents)
    this.addName(path)
  }

  private remove(path: string): void {
    this.files.set(path, undefined)
    this.removeName(path)
  }

  private addName(path: string): void {
    const { parent, name } = split(path)
    const before = this.directory(parent)
    if (before?.names.has(name)) return
    this.own(parent).names.add(name)
    if (before === undefined) this.addName(parent)
  }

  /** A directory in which nothing is left is none. */
  private removeName(path: string): void {
    const { parent, name } = split(path)
    if (!this.directory(parent)?.names.has(name)) return
    const { names } = this.own(parent)
    names.delete(name)
    if (names.size > 0 || parent === '') return
    this.directories.set(parent, undefined)
    this.removeName(parent)
  }

  /** A directory that may be changed, which one that is shared may not. */
  private own(path: string): Directory {
    const found = this.directories.get(path) ?? {
      names: new Set(this.directory(path)?.names),
      sorted: undefined,
    }
    found.sorted = undefined
    this.directories.set(path, found)
    return found
  }
}

function split(path: string): { parent: string; name: string } {
  const slash = path.lastIndexOf('/')
  return { parent: slash < 0 ? '' : path.slice(0, slash), name: path.slice(slash + 1) }
}

function* directoriesAbove(path: string): Iterable<string> {
  for (let { parent } = split(path); ; parent = split(parent).parent) {
    yield parent
    if (parent === '') return
  }
}
