import { createHash } from 'node:crypto'

export type FileMode = '100644' | '100755' | '120000'

/** One file of a source, by its content. */
export interface TreeFile {
  /** POSIX, relative to the root of the repository. */
  path: string
  /** Git's blob id: the identity of the content. */
  blobId: string
  /** Git's mode: file, executable file, symlink (whose content is its target). */
  mode: FileMode
  /** Bytes. */
  size: number
}

/** A file with its bytes. */
export interface FileContents extends TreeFile {
  content: Uint8Array
}

/** `sha256:<hex>` of the listing sorted by path: equal digests mean equal files. */
export function treeDigest(files: Iterable<TreeFile>): string {
  const lines = [...files].map(({ mode, blobId, path }) => `${mode} ${blobId} ${path}\n`)
  return `sha256:${createHash('sha256').update(lines.sort().join('')).digest('hex')}`
}

/** The paths that differ between two trees: added, removed, or with other content or another mode. */
export function changedPaths(
  before: ReadonlyMap<string, TreeFile>,
  after: ReadonlyMap<string, TreeFile>,
): string[] {
  const changed: string[] = []
  for (const [path, file] of after) {
    const old = before.get(path)
    if (old === undefined || old.blobId !== file.blobId || old.mode !== file.mode) changed.push(path)
  }
  for (const path of before.keys()) if (!after.has(path)) changed.push(path)
  return changed
}
