import { createHash } from 'node:crypto'

/** One file of a tree, without its content. */
export interface TreeFile {
  /** POSIX, relative to the root, without a leading slash. */
  path: string
  /** Names the content: hex of its SHA-256. Equal ids mean equal bytes. */
  blobId: string
  mode: '100644' | '100755' | '120000'
  /** Bytes. */
  size: number
}

/** A file with its content; of a symlink, the content is its target. */
export interface FileContents {
  file: TreeFile
  content: Uint8Array
}

/** `sha256:<hex>` of the sorted listing (mode, blob id, path): equal digests mean equal trees. */
export function treeDigest(files: Iterable<TreeFile>): string {
  const hash = createHash('sha256')
  for (const { mode, blobId, path } of [...files].sort(byPath)) hash.update(`${mode} ${blobId}\t${path}\n`)
  return `sha256:${hash.digest('hex')}`
}

/** The same content and mode, or none on both sides. */
export function isSameFile(one: TreeFile | undefined, other: TreeFile | undefined): boolean {
  return one?.blobId === other?.blobId && one?.mode === other?.mode
}

/** The order of paths as plain text; the same on every machine. */
export const byPath = (a: { path: string }, b: { path: string }): number =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : 0
