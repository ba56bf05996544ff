import { BuildError } from '../build-error.ts'
import type { FileUse } from '../types.ts'
import { isInside, isRemote, joinPath, parentOf } from './paths.ts'
import type { Tree } from './tree.ts'

export interface LoadedFile {
  /** Path in the tree, symlinks resolved. */
  path: string
  content: Uint8Array
}

/** Reads the files of one kustomization directory, within its restriction. */
export class Loader {
  readonly tree: Tree
  /** The directory of the kustomization, symlinks resolved. */
  readonly root: string
  readonly restricted: boolean
  readonly parent: Loader | undefined
  readonly depth: number

  constructor(tree: Tree, root: string, restricted: boolean, parent?: Loader) {
    this.tree = tree
    this.root = root
    this.restricted = restricted
    this.parent = parent
    this.depth = parent === undefined ? 1 : parent.depth + 1
    if (this.depth > tree.limits.maxDepth) {
      throw new BuildError(
        'limit-exceeded',
        `kustomizations are nested more than ${tree.limits.maxDepth} deep`,
        { file: root },
      )
    }
  }

  load(path: string): LoadedFile {
    if (/^https?:\/\//i.test(path)) refuseRemote(path)
    const resolved = this.locate(path)
    const kind = this.tree.kind(resolved)
    if (kind === 'directory') throw new BuildError('bad-path', `'${path}' must resolve to a file`)
    if (kind === undefined) throw new BuildError('file-not-found', `the file '${path}' does not exist`)
    if (this.restricted && !isInside(this.root, parentOf(resolved))) {
      throw new BuildError(
        'outside-root',
        `the file '${resolved}' is not in or below '${this.root}'; the load restrictor forbids to read it`,
      )
    }
    const content = this.tree.read(resolved)
    if (content === undefined) throw new BuildError('file-not-found', `the file '${path}' cannot be read`)
    return { path: resolved, content }
  }

  /** A file as what uses it is to see it. */
  loadFor(path: string, use: FileUse): LoadedFile {
    const file = this.load(path)
    const { openFile } = this.tree
    return openFile === undefined ? file : { ...file, content: openFile(file, use) }
  }

  /** The directory of another kustomization. Refuses one that was visited on the way here. */
  directory(path: string): Loader {
    if (path === '') throw new BuildError('bad-path', 'the path of a directory cannot be empty')
    if (isRemote(path)) refuseRemote(path)
    if (path.startsWith('/'))
      throw new BuildError('bad-path', `'${path}' is an absolute path; use one relative to this file`)
    const resolved = this.locate(path)
    const kind = this.tree.kind(resolved)
    if (kind === undefined) throw new BuildError('file-not-found', `'${path}' does not exist`)
    if (kind === 'file') throw new BuildError('bad-path', `'${path}' is a file; a directory is wanted`)
    for (let loader: Loader | undefined = this; loader !== undefined; loader = loader.parent) {
      if (isInside(resolved, loader.root)) {
        throw new BuildError(
          'cycle',
          `cycle detected: '${resolved}' contains '${loader.root}', which is being built`,
        )
      }
    }
    return new Loader(this.tree, resolved, this.restricted, this)
  }

  /** Resolved path of what a kustomization names. */
  locate(path: string): string {
    const joined = path.startsWith('/') ? this.locateAbsolute(path) : joinPath(this.root, path)
    const resolved = joined === undefined ? undefined : this.tree.resolve(joined)
    if (resolved === undefined)
      throw new BuildError('outside-root', `'${path}' lies outside of the file tree`)
    return resolved
  }

  locateAbsolute(path: string): string | undefined {
    return this.tree.absoluteTarget(path)
  }
}

function refuseRemote(path: string): never {
  throw new BuildError(
    'not-supported',
    `'${path}' is remote; remote bases and files are not fetched: copy it into the repository and name its local path`,
  )
}
