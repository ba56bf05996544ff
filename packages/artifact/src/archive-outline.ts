import { createHash } from 'node:crypto'
import type { Changes } from './changes.ts'
import type { TreeFile } from './tree-file.ts'

/** Files in a member, on average. */
const MEAN_FILES = 64
/** Bytes of the files of a member, after which it ends in any case. */
const MAX_BYTES = 256 * 1024

/** A file, and the directories above it that no file before it is in. */
export interface ArchiveEntry {
  directories: readonly string[]
  file: TreeFile
}

interface Piece {
  entries: readonly ArchiveEntry[]
  /** Bytes of the files. */
  bytes: number
}

/** Entries that are compressed together. */
export interface Member extends Piece {
  /** Equal names mean equal bytes. */
  name: string
}

/**
 * What an archive of a tree consists of: its files in the order of a lexical walk, without symlinks, in members. Where a
 * member ends depends on the paths and sizes alone, so that trees that differ in a few files have most members in common.
 */
export class ArchiveOutline {
  readonly members: readonly Member[]

  private constructor(members: readonly Member[]) {
    this.members = members
  }

  static of(files: Iterable<TreeFile>): ArchiveOutline {
    return new ArchiveOutline([...cut(sortedByWalk(files))].map(named))
  }

  /** The outline after files got other contents. undefined when files come or go, or members end elsewhere then. */
  after(changes: Changes): ArchiveOutline | undefined {
    const members = [...this.members]
    const touched = new Set<number>()
    for (const [path, file] of changes) {
      const index = this.indexOf(walkKey(path))
      const member = members[index]
      const at = member?.entries.findIndex((entry) => entry.file.path === path) ?? -1
      const entry = member?.entries[at]
      if (file === undefined || file.mode === '120000' || member === undefined || entry === undefined)
        return undefined
      members[index] = { ...member, entries: member.entries.with(at, { ...entry, file }) }
      touched.add(index)
    }
    for (const index of touched) {
      const entries = members[index]?.entries ?? []
      const [piece, other] = cut(entries.map(({ file }) => file))
      const isLast = index === members.length - 1
      if (piece === undefined || other !== undefined || !(isLast || isFull(piece))) return undefined
      members[index] = named({ entries, bytes: piece.bytes })
    }
    return new ArchiveOutline(members)
  }

  /** Of the member that a path is in, if it is in any. */
  private indexOf(key: string): number {
    let [low, high] = [0, this.members.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const first = this.members[middle]?.entries[0]?.file.path ?? ''
      if (walkKey(first) <= key) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

function* cut(files: Iterable<TreeFile>): Iterable<Piece> {
  const seen = new Set<string>()
  let piece: { entries: ArchiveEntry[]; bytes: number } = { entries: [], bytes: 0 }
  let before: string | undefined
  for (const file of files) {
    const directory = file.path.slice(0, Math.max(0, file.path.lastIndexOf('/')))
    const directories = directory === before ? [] : directoriesOf(file.path).filter((path) => !seen.has(path))
    for (const path of directories) seen.add(path)
    before = directory
    piece.entries.push({ directories, file })
    piece.bytes += file.size
    if (!isFull(piece)) continue
    yield piece
    piece = { entries: [], bytes: 0 }
  }
  if (piece.entries.length > 0) yield piece
}

function isFull({ entries, bytes }: Piece): boolean {
  return bytes >= MAX_BYTES || endsMember(entries.at(-1)?.file.path ?? '')
}

function named(piece: Piece): Member {
  const hash = createHash('sha256')
  for (const { directories, file } of piece.entries) {
    for (const directory of directories) hash.update(`${directory}/\n`)
    hash.update(`${file.mode} ${file.blobId}\t${file.path}\n`)
  }
  return { ...piece, name: hash.digest('base64') }
}

/** FNV-1a of the path: the same ones end a member wherever they stand. */
function endsMember(path: string): boolean {
  let hash = 0x811c9dc5
  for (let at = 0; at < path.length; at += 1) hash = Math.imul(hash ^ path.charCodeAt(at), 0x01000193)
  return (hash >>> 8) % MEAN_FILES === 0
}

/** Names of one directory are sorted, and a directory comes with all below it: compare part by part. */
function sortedByWalk(files: Iterable<TreeFile>): TreeFile[] {
  const keyed: { file: TreeFile; key: string }[] = []
  for (const file of files) if (file.mode !== '120000') keyed.push({ file, key: walkKey(file.path) })
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ file }) => file)
}

const walkKey = (path: string): string => path.replaceAll('/', '\0')

function directoriesOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}
