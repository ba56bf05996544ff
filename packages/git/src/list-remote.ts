import git, { type ServerRef } from 'isomorphic-git'
import { transportUrl } from './address.ts'
import { AdvertisementRecorder } from './advertisement.ts'
import { displayUrl, GitError } from './errors.ts'
import type { RemoteOptions } from './remote-options.ts'
import { translateRemoteError } from './translate-error.ts'
import { openTransport } from './transport.ts'

/** One reference that a server advertises. */
export interface RemoteRef {
  /** Full name, such as `refs/heads/main`. */
  name: string
  /** What it points to: a commit, or the tag object of an annotated tag. */
  oid: string
  /** The commit behind an annotated tag. */
  peeled?: string
}

/** What a server advertises: its references by full name, and the branch that HEAD stands for. */
export interface RemoteRefs {
  refs: ReadonlyMap<string, RemoteRef>
  /** Full name of the default branch. */
  head?: string
  /** The answer of the server as it was, for a fetch right after. */
  advertisement?: Uint8Array
}

/** The references are few bytes; a server that sends more than this is no Git server of ours. */
const MAX_LISTING_BYTES = 64 * 1024 * 1024

/**
 * Asks a server for its references: one request, nothing downloaded.
 * @throws GitError
 */
export async function listRemote(options: RemoteOptions): Promise<RemoteRefs> {
  await using http = openTransport({
    ...options,
    maxBytes: Math.min(options.maxBytes ?? Infinity, MAX_LISTING_BYTES),
  })
  const recorder = new AdvertisementRecorder(http)
  try {
    const listed = await git.listServerRefs({
      http: recorder,
      url: transportUrl(options.url),
      protocolVersion: 1,
      symrefs: true,
      peelTags: true,
    })
    if (listed.some(({ oid }) => oid.length === SHA256_DIGITS)) throw sha256Repository(options.url)
    const { heard: advertisement } = recorder
    return { ...toRemoteRefs(listed), ...(advertisement === undefined ? {} : { advertisement }) }
  } catch (cause) {
    throw translateRemoteError(cause, options.url)
  }
}

/** What Git itself allows in a name; others are not seen. */
function isRefName(name: string): boolean {
  return name.length <= MAX_REF_NAME && !/[\p{Cc}\p{Cf} ~^:?*[\\]|\.\.|@\{|\/\/|\.lock$|\/$/u.test(name)
}

const MAX_REF_NAME = 1_024
const SHA256_DIGITS = 64

function sha256Repository(url: string): GitError {
  const what = `${displayUrl(url)} names its objects by SHA-256, which is not supported; only SHA-1 is`
  return new GitError('UnsupportedRepository', what)
}

function toRemoteRefs(listed: ServerRef[]): RemoteRefs {
  const refs = new Map<string, RemoteRef>()
  let head: string | undefined
  for (const { ref, oid, target, peeled } of listed) {
    if (ref === 'HEAD') head = target
    else if (ref !== 'capabilities^{}' && isRefName(ref))
      refs.set(ref, { name: ref, oid, ...(peeled === undefined ? {} : { peeled }) })
  }
  return { refs, ...(head === undefined ? {} : { head }) }
}
