import { displayUrl, GitError } from '../errors.ts'
import type { ObjectStore } from '../pack/object-store.ts'
import { storePack } from '../pack/store-pack.ts'
import type { RemoteOptions } from '../remote-options.ts'
import type { Resolved } from '../resolve-reference.ts'
import type { Advertisement } from './advertisement.ts'
import { readShallowFile, writeShallowFile } from './shallow-file.ts'
import { UploadPack } from './upload-pack.ts'

/**
 * How much is fetched: all of history, the commit alone (of which not everything is sent when it is like the last one), or
 * all commits since the last one, which is in its history.
 */
export type Extent = 'history' | 'shallow' | 'new'

export interface FetchIntoOptions {
  extent: Extent
  advertisement: Advertisement | undefined
  /** The last commit that is wholly here. */
  last: string | undefined
  /** Commits and trees only, where the server can do that. */
  withoutBlobs: boolean
}

export interface Fetched {
  /** A commit, or the annotated tag of one. */
  oid: string
  receivedBytes: number
  /** Whether the server left out what it was asked to. */
  isWithoutBlobs: boolean
}

/** Fetches a reference into a bare repository. Whether all of it came is for the caller to prove. @throws GitError */
export async function fetchInto(
  objects: ObjectStore,
  remote: RemoteOptions,
  resolved: Resolved,
  { extent, advertisement, last, withoutBlobs }: FetchIntoOptions,
): Promise<Fetched> {
  await using server = await UploadPack.open(remote, advertisement)
  const { capabilities } = server.advertisement
  const isWithoutBlobs = withoutBlobs && capabilities.has('filter')
  const wants = wantsOf(server.advertisement, resolved, extent, displayUrl(remote.url))
  const shallow = await readShallowFile(objects.gitdir)
  const answer = await server.fetch({
    wants,
    haves: last === undefined ? [] : [last],
    shallow,
    isShallow: extent === 'shallow' && capabilities.has('shallow'),
    isWithoutBlobs,
    // Without history, a server compares with what is here only for a thin pack. Where it sends files to a copy without
    // files, the bases of the deltas might be missing.
    isThin: last !== undefined && isWithoutBlobs === withoutBlobs,
  })
  await storePack(objects, answer.pack, remote.packLimits, remote)
  if (answer.shallow.length > 0) await writeShallowFile(objects.gitdir, [...shallow, ...answer.shallow])
  return { oid: wants[0], receivedBytes: server.receivedBytes, isWithoutBlobs }
}

/** Fetches single objects by their ids. Returns the bytes received. @throws GitError Refused where that is not allowed */
export async function fetchObjects(
  objects: ObjectStore,
  remote: RemoteOptions,
  oids: readonly string[],
  advertisement: Advertisement | undefined,
): Promise<number> {
  await using server = await UploadPack.open(remote, advertisement)
  const { pack } = await server.fetch({ wants: oids })
  await storePack(objects, pack, remote.packLimits)
  return server.receivedBytes
}

/** What is asked for; the first one is what counts. */
function wantsOf(
  { refs, head }: Advertisement,
  { refName, commit }: Resolved,
  extent: Extent,
  shown: string,
): [string, ...string[]] {
  if (refName !== undefined) {
    const oid = refs.get(refName)?.oid
    if (oid !== undefined) return [oid]
    throw refs.size === 0
      ? new GitError('EmptyRepository', 'the repository has no commits yet')
      : new GitError('RefNotFound', `${shown} has no reference "${refName}"`)
  }
  if (extent !== 'history') return [commit]
  const branches = [...refs.values()].filter(({ name }) => name.startsWith('refs/heads/'))
  const [first, ...others] = new Set([
    ...(head === undefined ? [] : [head]),
    ...branches.map(({ oid }) => oid),
  ])
  if (first === undefined) throw new GitError('RefNotFound', `${shown} has no branches`)
  return [first, ...others]
}
