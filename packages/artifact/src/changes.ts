import { createHash } from 'node:crypto'
import type { Snapshot } from './snapshot.ts'
import { byPath, isSameFile, type TreeFile } from './tree-file.ts'

/** What differs from a snapshot, by path: a file that is new or other, or undefined for one that is not there any more. */
export type Changes = ReadonlyMap<string, TreeFile | undefined>

type Files = ReadonlyMap<string, TreeFile>

/** What is at a path of a listing after changes. */
export function fileAt(listing: Files, changes: Changes, path: string): TreeFile | undefined {
  return changes.has(path) ? changes.get(path) : listing.get(path)
}

/** What leads from one listing to another. Looks at every file of both. */
export function changesBetween(before: Files, after: Files): Changes {
  const changes = new Map<string, TreeFile | undefined>()
  for (const file of after.values())
    if (!isSameFile(before.get(file.path), file)) changes.set(file.path, file)
  for (const path of before.keys()) if (!after.has(path)) changes.set(path, undefined)
  return changes
}

/** What leads from one tree to another, when both are said as changes to the same listing. Looks only at these. */
export function changesFrom(listing: Files, one: Changes, other: Changes): Changes {
  const changes = new Map<string, TreeFile | undefined>()
  for (const path of new Set([...one.keys(), ...other.keys()])) {
    const after = fileAt(listing, other, path)
    if (!isSameFile(fileAt(listing, one, path), after)) changes.set(path, after)
  }
  return changes
}

/** A listing after changes. */
export function applyChanges(before: Files, changes: Changes): Map<string, TreeFile> {
  const after = new Map(before)
  for (const [path, file] of changes) {
    if (file === undefined) after.delete(path)
    else after.set(path, file)
  }
  return after
}

/** Changes since a listing, and then others. What is as it was before is no change. */
export function followedBy(before: Files, changes: Changes, next: Changes): Changes {
  const all = new Map(changes)
  for (const [path, file] of next) {
    if (isSameFile(before.get(path), file)) all.delete(path)
    else all.set(path, file)
  }
  return all
}

/** `sha256:<hex>` of a tree: equal digests mean equal trees. Costs what has changed, not what is there. */
export function digestAfter(base: Pick<Snapshot, 'digest'>, changes: Changes): string {
  if (changes.size === 0) return base.digest
  const hash = createHash('sha256').update(`${base.digest}\n`)
  for (const { mode, blobId, path } of changedFiles(changes)) hash.update(`${mode} ${blobId}\t${path}\n`)
  for (const path of removedPaths(changes)) hash.update(`removed\t${path}\n`)
  return `sha256:${hash.digest('hex')}`
}

/** The files that are new or other, sorted by path. */
export function changedFiles(changes: Changes): TreeFile[] {
  return [...changes.values()].filter((file) => file !== undefined).sort(byPath)
}

/** The paths that are not there any more, sorted. */
export function removedPaths(changes: Changes): string[] {
  const removed: string[] = []
  for (const [path, file] of changes) if (file === undefined) removed.push(path)
  return removed.sort()
}
