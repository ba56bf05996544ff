import type { FileSource } from '../types.ts'

/** A tree held in memory: path → content. For tests, and for callers who have the bytes at hand. */
export function memoryFiles(record: Record<string, string | Uint8Array>): FileSource {
  const files = new Map<string, Uint8Array>()
  const directories = new Map<string, Set<string>>([['', new Set()]])
  for (const [path, content] of Object.entries(record)) {
    files.set(path, typeof content === 'string' ? new TextEncoder().encode(content) : content)
    addToDirectories(directories, path)
  }
  return {
    read: (path) => files.get(path),
    kind: (path) => (files.has(path) ? 'file' : directories.has(path) ? 'directory' : undefined),
    list: (path) => [...(directories.get(path) ?? [])].sort(),
  }
}

function addToDirectories(directories: Map<string, Set<string>>, path: string): void {
  const slash = path.lastIndexOf('/')
  const parent = slash < 0 ? '' : path.slice(0, slash)
  const known = directories.has(parent)
  const names = directories.get(parent) ?? new Set()
  names.add(path.slice(slash + 1))
  directories.set(parent, names)
  if (!known && parent !== '') addToDirectories(directories, parent)
}
