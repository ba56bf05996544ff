import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from './disk.ts'
import { readState, type SourceState } from './state.ts'

/**
 * Keeps, for each source, the state, the bytes of its snapshot and what the origin calls its contents, below `<root>/<uid>/`.
 * Every file is written beside its place and renamed, so that a crash leaves the old one.
 */
export class StateStore {
  private readonly root: string

  constructor(root: string) {
    this.root = root
  }

  mirrorDirectory(uid: string): string {
    return join(this.directory(uid), 'git')
  }

  /** The state, or undefined when there is none that can be used. */
  async load(uid: string): Promise<SourceState | undefined> {
    const text = await readOrUndefined(join(this.directory(uid), 'state.json'))
    return text === undefined ? undefined : readState(text.toString('utf8'))
  }

  async save(uid: string, state: SourceState): Promise<void> {
    await this.write(uid, 'state.json', Buffer.from(JSON.stringify(state)))
  }

  async saveBytes(uid: string, name: 'snapshot' | 'blobs', bytes: Uint8Array): Promise<void> {
    await this.write(uid, name, bytes)
  }

  /** The bytes, or undefined when they are gone. */
  loadBytes(uid: string, name: 'snapshot' | 'blobs'): Promise<Buffer | undefined> {
    return readOrUndefined(join(this.directory(uid), name))
  }

  async remove(uid: string): Promise<void> {
    await rm(this.directory(uid), { recursive: true, force: true })
  }

  /** Deletes what belongs to no object any more. */
  async keepOnly(uids: ReadonlySet<string>): Promise<void> {
    const found = await readdir(this.root).catch(() => [])
    for (const name of found)
      if (!uids.has(name)) await rm(join(this.root, name), { recursive: true, force: true })
  }

  private directory(uid: string): string {
    if (!/^[0-9a-zA-Z-]+$/.test(uid)) throw new Error(`"${uid}" is not a uid`)
    return join(this.root, uid)
  }

  private async write(uid: string, name: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.directory(uid), { recursive: true })
    const path = join(this.directory(uid), name)
    await writeFile(`${path}.new`, bytes)
    await rename(`${path}.new`, path)
  }
}

async function readOrUndefined(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
