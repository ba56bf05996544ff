import type { FileContents } from './tree-file.ts'

interface Directory {
  /** Names, sorted when they are first asked for. */
  names: Set<string>
  sorted: string[] | undefined
}

/**
 * A file tree in memory, for reading: what a build takes as its files. Paths are relative to the root; '' is the root.
 * Lookups cost the same however many files there are.
 */
export class MemoryTree {
  private readonly files: ReadonlyMap<string, FileContents>
  private readonly directories = new Map<string, Directory>([['', newDirectory()]])

  constructor(files: ReadonlyMap<string, FileContents> | Iterable<FileContents>) {
    this.files = files instanceof Map ? files : new Map(contentsByPath(files as Iterable<FileContents>))
    for (const path of this.files.keys()) this.addToDirectories(path)
  }

  /** The bytes of a file; undefined when there is none, or it is a directory or a symlink. */
  read(path: string): Uint8Array | undefined {
    const found = this.files.get(path)
    return found === undefined || found.file.mode === '120000' ? undefined : found.content
  }

  kind(path: string): 'file' | 'directory' | 'symlink' | undefined {
    const found = this.files.get(path)
    if (found !== undefined) return found.file.mode === '120000' ? 'symlink' : 'file'
    return this.directories.has(path) ? 'directory' : undefined
  }

  /** Where a symlink points, as written in it; '' when the path is no symlink. */
  readlink(path: string): string {
    const found = this.files.get(path)
    return found?.file.mode === '120000' ? new TextDecoder().decode(found.content) : ''
  }

  /** The names in a directory, sorted; none when there is no such directory. */
  list(path: string): string[] {
    const directory = this.directories.get(path)
    if (directory === undefined) return []
    directory.sorted ??= [...directory.names].sort()
    return directory.sorted
  }

  /** The blob id of a file. */
  id(path: string): string | undefined {
    return this.files.get(path)?.file.blobId
  }

  private addToDirectories(path: string): void {
    const slash = path.lastIndexOf('/')
    const parent = slash < 0 ? '' : path.slice(0, slash)
    const known = this.directories.get(parent)
    const directory = known ?? newDirectory()
    directory.names.add(path.slice(slash + 1))
    if (known !== undefined) return
    this.directories.set(parent, directory)
    this.addToDirectories(parent)
  }
}

function newDirectory(): Directory {
  return { names: new Set(), sorted: undefined }
}

function* contentsByPath(files: Iterable<FileContents>): Iterable<[string, FileContents]> {
  for (const contents of files) yield [contents.file.path, contents]
}
