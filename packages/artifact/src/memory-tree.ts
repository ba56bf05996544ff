import type { FileContents } from './tree.ts'

/** A file tree in memory, in the form in which the kustomize engine reads files. '' is the root. */
export class MemoryTree {
  private readonly files: ReadonlyMap<string, FileContents>
  private readonly directories = new Map<string, Set<string>>([['', new Set()]])

  constructor(files: ReadonlyMap<string, FileContents>) {
    this.files = files
    for (const path of files.keys()) this.addParents(path)
  }

  /** The bytes of a file; undefined when it is absent, a directory or a symlink. */
  read(path: string): Uint8Array | undefined {
    const file = this.files.get(path)
    return file === undefined || file.mode === '120000' ? undefined : file.content
  }

  kind(path: string): 'file' | 'directory' | 'symlink' | undefined {
    const file = this.files.get(path)
    if (file !== undefined) return file.mode === '120000' ? 'symlink' : 'file'
    return this.directories.has(path) ? 'directory' : undefined
  }

  /** Where a symlink points, as written in it. */
  readlink(path: string): string {
    return Buffer.from(this.files.get(path)?.content ?? []).toString('utf8')
  }

  /** The names in a directory, sorted. */
  list(path: string): string[] {
    return [...(this.directories.get(path) ?? [])].sort()
  }

  /** Names the content, so that a parse of it can be used again. */
  id(path: string): string | undefined {
    return this.files.get(path)?.blobId
  }

  private addParents(path: string): void {
    const slash = path.lastIndexOf('/')
    const parent = slash < 0 ? '' : path.slice(0, slash)
    const known = this.directories.get(parent)
    if (known !== undefined) {
      known.add(path.slice(slash + 1))
      return
    }
    this.directories.set(parent, new Set([path.slice(slash + 1)]))
    this.addParents(parent)
  }
}
