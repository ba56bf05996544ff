import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type GitMirror, openMirror } from '@setpoint/git'

/** Copies of the repositories that are written to, one for each writer. They can all be deleted: Git has them. */
export class Mirrors {
  private readonly root: string
  private readonly mirrors = new Map<string, GitMirror>()

  constructor(root: string) {
    this.root = root
  }

  /** The copy of a writer. writer: its key; nothing of it is seen on disk. @throws GitError */
  async of(writer: string, url: string): Promise<GitMirror> {
    const found = this.mirrors.get(writer)
    if (found !== undefined) return found
    const mirror = await openMirror(join(this.root, nameOf(writer)), { url })
    this.mirrors.set(writer, mirror)
    return mirror
  }

  /** Deletes the copies of writers that are gone. */
  async keepOnly(writers: ReadonlySet<string>): Promise<void> {
    const kept = new Set([...writers].map(nameOf))
    for (const writer of this.mirrors.keys()) if (!writers.has(writer)) this.mirrors.delete(writer)
    for (const name of await readdir(this.root).catch(() => []))
      if (!kept.has(name)) await rm(join(this.root, name), { recursive: true, force: true })
  }
}

/** A URL may hold a password, which must not be on disk. */
function nameOf(writer: string): string {
  return createHash('sha256').update(writer).digest('hex').slice(0, 32)
}
