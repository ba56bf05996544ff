import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '@setpoint/artifact'
import { isMissing } from '../disk.ts'

/** Packs on our own disk, by their digest. Every one can be had again: from the bus, or made anew. */
export class PackFiles {
  private readonly root: string

  constructor(root: string) {
    this.root = root
  }

  /** The bytes, or undefined when they are not here or damaged. */
  async read(digest: string): Promise<Buffer | undefined> {
    try {
      const bytes = await readFile(this.pathOf(digest))
      return digestOf(bytes) === digest ? bytes : undefined
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async write(digest: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.root, { recursive: true })
    const path = this.pathOf(digest)
    const beside = `${path}.${crypto.randomUUID()}`
    await writeFile(beside, bytes)
    await rename(beside, path)
  }

  /** Deletes all others that were written before a time, and what was not written to its end. */
  async keepOnly(digests: ReadonlySet<string>, before: number): Promise<void> {
    for (const name of await readdir(this.root).catch(() => [])) {
      if (digests.has(`sha256:${name}`)) continue
      const path = join(this.root, name)
      const written = (await stat(path).catch(() => undefined))?.mtimeMs ?? before
      if (written < before) await rm(path, { force: true })
    }
  }

  private pathOf(digest: string): string {
    return join(this.root, nameOf(digest))
  }
}

const nameOf = (digest: string): string => digest.slice('sha256:'.length)
