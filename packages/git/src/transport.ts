import type { GitHttpRequest, GitHttpResponse } from 'isomorphic-git'
import { httpTransport } from './http-client.ts'
import type { RemoteOptions } from './remote-options.ts'
import { sshTransport } from './ssh/ssh-transport.ts'

/**
 * The way to one server for one operation: what isomorphic-git takes as its `http`, for listing, fetching and pushing.
 * Its limits (time, bytes) hold for the whole of the operation, so make a new one for each.
 */
export interface Transport extends AsyncDisposable {
  request(request: GitHttpRequest): Promise<GitHttpResponse>
  /** Bytes that came over the network so far. */
  readonly receivedBytes: number
}

/** Opens the way to a server, by the scheme of the URL. Nothing is sent yet. Give isomorphic-git `transportUrl(url)`. */
export function openTransport(options: RemoteOptions): Transport {
  return options.url.startsWith('ssh:') ? sshTransport(options) : httpTransport(options)
}
