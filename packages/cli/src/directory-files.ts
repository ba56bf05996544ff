import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { isAbsolute, resolve, sep } from 'node:path'
import type { FileSource } from '@setpoint/kustomize'

/**
 * The file system as a tree for the engine, which reads below `boundary` only. Paths are those of the file system
 * without the leading slash, so that bases beside a directory are found; see `treePath`.
 */
export function directoryFiles(boundary = sep): FileSource {
  const inside = (path: string) => boundary === sep || isWithin(boundary, `${sep}${path}`)
  return {
    isWholeFileSystem: true,
    read: (path) => (inside(path) ? quietly(() => readFileSync(`${sep}${path}`)) : undefined),
    kind: (path) => (inside(path) || isAbove(boundary, path) ? kindOf(`${sep}${path}`) : undefined),
    readlink: (path) => readlinkSync(`${sep}${path}`),
    list: (path) => (inside(path) ? (quietly(() => readdirSync(`${sep}${path}`)) ?? []).sort() : []),
  }
}

/** A path of the file system as one of the tree. */
export function treePath(path: string, workingDirectory: string): string {
  return (isAbsolute(path) ? resolve(path) : resolve(workingDirectory, path)).slice(1)
}

function kindOf(path: string): 'file' | 'directory' | 'symlink' | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isDirectory()) return 'directory'
  return stat.isFile() ? 'file' : undefined
}

function isWithin(boundary: string, path: string): boolean {
  return path === boundary || path.startsWith(`${boundary}${sep}`)
}

/** The directories that lead to the boundary are there, but nothing in them can be read. */
function isAbove(boundary: string, path: string): boolean {
  return boundary.startsWith(`${sep}${path}${sep}`)
}

function quietly<Result>(step: () => Result): Result | undefined {
  try {
    return step()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR' || code === 'EACCES') return undefined
    throw error
  }
}
