import { posix } from 'node:path'
import type { GitMirror, TreeEntry } from '@setpoint/git'
import {
  holdsMarker,
  isSetterFile,
  type SetImages,
  type SetterChange,
  setImages,
} from '@setpoint/image-setters'
import type { Base } from './check-out.ts'

/** What automations would change. */
export interface Plan {
  /** New contents by path. */
  files: Map<string, Uint8Array>
  changes: FileChange[]
  /** For people: `path:line: what is wrong`. */
  problems: string[]
}

export interface FileChange extends SetterChange {
  path: string
}

/** Reading a file mostly waits for the disk. */
const READ_AT_ONCE = 16
const MAX_REMEMBERED = 200_000
const MAX_FILE_BYTES = 32 * 1024 * 1024

/** Which blobs hold a marker: what was read once is not read again. */
export class MarkerMemory {
  private readonly known = new Map<string, boolean>()

  get(oid: string): boolean | undefined {
    return this.known.get(oid)
  }

  set(oid: string, holds: boolean): void {
    if (this.known.size >= MAX_REMEMBERED) this.known.clear()
    this.known.set(oid, holds)
  }
}

/** What one automation wants. */
export interface Part {
  /** spec.update.path. */
  path: string | undefined
  /** Images by `namespace:policy`. */
  images: SetImages
}

/** What several automations want of one commit, each on top of those before it. Nothing is written. @throws GitError */
export async function planAll(
  { mirror, commit }: Base,
  parts: readonly Part[],
  { markers, signal }: { markers: MarkerMemory; signal: AbortSignal },
): Promise<Plan> {
  const tree = await mirror.readTree(commit)
  const all: Plan = { files: new Map(), changes: [], problems: [] }
  for (const part of parts) {
    const { files, changes, problems } = await plan({
      ...part,
      mirror,
      tree,
      markers,
      signal,
      planned: all.files,
    })
    for (const [file, content] of files) all.files.set(file, content)
    all.changes.push(...changes)
    all.problems.push(...problems.filter((problem) => !all.problems.includes(problem)))
  }
  mirror.release()
  return all
}

interface PlanInput extends Part {
  mirror: GitMirror
  tree: readonly TreeEntry[]
  markers: MarkerMemory
  /** Contents that are planned already, by automations before this one. */
  planned: ReadonlyMap<string, Uint8Array>
  signal: AbortSignal
}

/** Reads the files that hold markers and puts the images in place. */
async function plan(input: PlanInput): Promise<Plan> {
  const result: Plan = { files: new Map(), changes: [], problems: [] }
  const files = input.tree.filter((entry) => mayHoldMarker(entry, input))
  for (let at = 0; at < files.length; at += READ_AT_ONCE) {
    input.signal.throwIfAborted()
    const batch = files.slice(at, at + READ_AT_ONCE)
    const contents = await Promise.all(batch.map((file) => contentOf(file, input)))
    batch.forEach(({ path }, index) => {
      const content = contents[index]
      if (content !== undefined) setIn(path, content, input.images, result)
    })
  }
  return result
}

function mayHoldMarker({ path, oid, mode }: TreeEntry, { path: root, planned, markers }: PlanInput): boolean {
  if ((mode !== '100644' && mode !== '100755') || !isSetterFile(path) || !isBelow(path, root)) return false
  return planned.has(path) || markers.get(oid) !== false
}

/** The content of a file that holds a marker. */
async function contentOf(
  { path, oid }: TreeEntry,
  { mirror, planned, markers }: PlanInput,
): Promise<Uint8Array | undefined> {
  const content = planned.get(path) ?? (await mirror.readBlob(oid))
  const holds = holdsMarker(content)
  if (!planned.has(path)) markers.set(oid, holds)
  return holds ? content : undefined
}

function setIn(path: string, content: Uint8Array, images: SetImages, into: Plan): void {
  if (content.length > MAX_FILE_BYTES) {
    into.problems.push(`${path}: the file is larger than 32 MiB and was left alone`)
    return
  }
  const { changed, changes, problems } = setImages(content, images)
  for (const { line, message, isFatal } of problems)
    into.problems.push(`${path}:${line}: ${message}${isFatal ? '; the file was left alone' : ''}`)
  if (changed === undefined) return
  into.files.set(path, changed)
  into.changes.push(...changes.map((change) => ({ ...change, path })))
}

/** `./apps/` is `apps`; a path cannot lead out of the repository. */
function isBelow(path: string, directory = ''): boolean {
  const root = posix.normalize(`/${directory}`).replace(/\/+$/, '')
  return root === '' || `/${path}`.startsWith(`${root}/`)
}
