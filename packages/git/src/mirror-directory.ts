import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ObjectStore } from './pack/object-store.ts'
import { readCommit } from './read-objects.ts'
import { replaceFile } from './replace-file.ts'

/** The last commit that is here: offered to the server, so that it sends only what is new. */
const LAST_REF = 'refs/setpoint/last'
const MARKER = 'setpoint-mirror.json'

/** Says that a directory was set up to its end. */
export interface Marker {
  /** The repository that it is of. */
  url: string
  /** Files are here only as far as they were asked for. */
  withoutBlobs: boolean
  /** Full name of the reference that was fetched last; undefined when it was a commit by its id. */
  refName?: string | undefined
}

/** Makes an empty repository of whatever is there; it counts as none until it has a marker. */
export async function initialize(gitdir: string): Promise<void> {
  await rm(gitdir, { recursive: true, force: true })
  // What Git itself wants to see before it takes a directory for a repository.
  for (const directory of ['objects/pack', 'refs/heads'])
    await mkdir(join(gitdir, directory), { recursive: true })
  await writeFile(join(gitdir, 'HEAD'), 'ref: refs/heads/main\n')
  await writeFile(join(gitdir, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n')
}

export async function writeMarker(gitdir: string, marker: Marker): Promise<void> {
  await replaceFile(join(gitdir, MARKER), JSON.stringify(marker))
}

/** undefined when there is none that can be read. */
export async function readMarker(gitdir: string): Promise<Partial<Marker> | undefined> {
  try {
    const marker: unknown = JSON.parse(await readFile(join(gitdir, MARKER), 'utf8'))
    return typeof marker === 'object' && marker !== null ? marker : undefined
  } catch {
    return undefined
  }
}

export async function readLastCommit(gitdir: string): Promise<string | undefined> {
  try {
    const oid = (await readFile(join(gitdir, LAST_REF), 'utf8')).trim()
    return /^[0-9a-f]{40}$/.test(oid) ? oid : undefined
  } catch {
    return undefined
  }
}

/** Notes a commit, or the one behind a tag, as the last one, once it is proven to be here. */
export async function writeLastCommit(objects: ObjectStore, fetched: string): Promise<string> {
  const { oid } = await readCommit(objects, fetched)
  const file = join(objects.gitdir, LAST_REF)
  await mkdir(dirname(file), { recursive: true })
  await replaceFile(file, `${oid}\n`)
  return oid
}
