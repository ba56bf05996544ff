import { BuildError } from '../build-error.ts'
import type { FileSource, Limits, OpenFile } from '../types.ts'
import { joinPath } from './paths.ts'

const maxLinks = 40

/** The file tree of one build: follows symlinks, bounds sizes, and notes every path that was looked at. */
export class Tree {
  readonly files: FileSource
  readonly limits: Limits
  readonly reads = new Set<string>()
  readonly kinds = new Map<string, ReturnType<FileSource['kind']>>()
  readonly openFile: OpenFile | undefined
  totalBytes = 0

  constructor(files: FileSource, limits: Limits, openFile?: OpenFile) {
    this.files = files
    this.limits = limits
    this.openFile = openFile
  }

  /** The path with all symlinks resolved; the last parts may be absent. Undefined when it leaves the tree. */
  resolve(path: string, links = 0): string | undefined {
    if (links > maxLinks) throw new BuildError('bad-path', `too many symbolic links in '${path}'`)
    let current = ''
    const parts = path === '' ? [] : path.split('/')
    for (const [at, part] of parts.entries()) {
      const next = current === '' ? part : `${current}/${part}`
      if (this.rawKind(next) !== 'symlink') {
        current = next
        continue
      }
      const target = this.followLink(next, current)
      if (target === undefined) return undefined
      const whole = joinPath(target, parts.slice(at + 1).join('/'))
      return whole === undefined ? undefined : this.resolve(whole, links + 1)
    }
    return current
  }

  /** Reads a file by its resolved path. */
  read(path: string): Uint8Array | undefined {
    this.reads.add(path)
    const content = this.files.read(path)
    if (content === undefined) return undefined
    if (content.length > this.limits.maxFileBytes)
      this.tooBig(`has ${content.length} bytes`, path, this.limits.maxFileBytes)
    this.totalBytes += content.length
    if (this.totalBytes > this.limits.maxTotalBytes) {
      this.tooBig('takes the build over its total size', path, this.limits.maxTotalBytes)
    }
    return content
  }

  kind(path: string): 'file' | 'directory' | undefined {
    if (path === '') return 'directory'
    const kind = this.rawKind(path)
    return kind === 'symlink' ? undefined : kind
  }

  list(path: string): string[] {
    this.reads.add(`${path}/`)
    return this.files.list(path)
  }

  rawKind(path: string): ReturnType<FileSource['kind']> {
    const known = this.kinds.get(path)
    if (known !== undefined || this.kinds.has(path)) return known
    const kind = this.files.kind(path)
    this.kinds.set(path, kind)
    if (kind === undefined) this.reads.add(path)
    return kind
  }

  followLink(path: string, directory: string): string | undefined {
    this.reads.add(path)
    const target = this.files.readlink?.(path)
    if (target === undefined)
      throw new BuildError('bad-path', `symbolic links are not supported here`, { file: path })
    return target.startsWith('/') ? this.absoluteTarget(target) : joinPath(directory, target)
  }

  /** An absolute target is inside only where the tree is the whole file system. */
  absoluteTarget(target: string): string | undefined {
    return this.files.isWholeFileSystem === true ? joinPath('', target) : undefined
  }

  tooBig(what: string, file: string, limit: number): never {
    throw new BuildError('limit-exceeded', `the file ${what}, more than the limit of ${limit}`, { file })
  }
}
