import type { Advertisement, RemoteRef } from './fetch/advertisement.ts'
import { UploadPack } from './fetch/upload-pack.ts'
import type { RemoteOptions } from './remote-options.ts'

/** What a server advertises: its references by full name. */
export interface RemoteRefs {
  refs: ReadonlyMap<string, RemoteRef>
  /** For a fetch right after, which then need not ask again; undefined where it has to. */
  advertisement?: Advertisement
}

/** The references are few bytes; a server that sends more than this is no Git server of ours. */
const MAX_LISTING_BYTES = 64 * 1024 * 1024

/**
 * Asks a server for its references: one request, nothing downloaded.
 * @throws GitError
 */
export async function listRemote(options: RemoteOptions): Promise<RemoteRefs> {
  const maxBytes = Math.min(options.maxBytes ?? Infinity, MAX_LISTING_BYTES)
  await using server = await UploadPack.open({ ...options, maxBytes })
  const { advertisement, isElsewhere } = server
  // Over SSH the server begins every conversation with it.
  const isFinal = isElsewhere || options.url.startsWith('ssh:')
  return { refs: advertisement.refs, ...(isFinal ? {} : { advertisement }) }
}
