import fs from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import git from 'isomorphic-git'
import { ObjectStore } from './pack/object-store.ts'
import { readCommit } from './read-objects.ts'

/** The last commit that is here: offered to the server, so that it sends only what is new. */
const LAST_REF = 'refs/setpoint/last'
const MARKER = 'setpoint-mirror.json'

/** Says that a directory was set up to its end. */
export interface Marker {
  /** The repository that it is of. */
  url: string
  /** Files are here only as far as they were asked for. */
  withoutBlobs: boolean
}

/** Makes an empty repository of whatever is there; it counts as none until it has a marker. */
export async function initialize(gitdir: string): Promise<void> {
  await rm(gitdir, { recursive: true, force: true })
  await mkdir(gitdir, { recursive: true })
  await git.init({ fs, gitdir, bare: true })
}

export async function writeMarker(gitdir: string, marker: Marker): Promise<void> {
  await writeFile(join(gitdir, MARKER), JSON.stringify(marker))
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
    return await git.resolveRef({ fs, gitdir, ref: LAST_REF })
  } catch {
    return undefined
  }
}

/** Notes a commit, or the one behind a tag, as the last one, once it is proven to be here. */
export async function writeLastCommit(gitdir: string, fetched: string): Promise<string> {
  const { oid } = await readCommit(new ObjectStore(gitdir), fetched)
  await git.writeRef({ fs, gitdir, ref: LAST_REF, value: oid, force: true })
  return oid
}
