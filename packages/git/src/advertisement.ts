import type { GitHttpRequest, GitHttpResponse } from 'isomorphic-git'

/** A way to a server, as isomorphic-git takes it. */
interface Way {
  request(request: GitHttpRequest): Promise<GitHttpResponse>
}

/** One of more bytes is not kept. */
const MAX_BYTES = 256 * 1024

/** Takes note of what a server says of itself and its references, so that a fetch right after need not ask again. */
export class AdvertisementRecorder implements Way {
  /** What was heard; undefined when that cannot be said again, because the server is really somewhere else. */
  heard: Uint8Array | undefined
  private readonly way: Way

  constructor(way: Way) {
    this.way = way
  }

  async request(request: GitHttpRequest): Promise<GitHttpResponse> {
    const answer = await this.way.request(request)
    if (!asksForReferences(request) || answer.statusCode !== 200 || answer.url !== request.url) return answer
    const chunks: Uint8Array[] = []
    for await (const chunk of answer.body ?? []) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    if (bytes.length <= MAX_BYTES) this.heard = bytes
    return { ...answer, body: once(bytes) }
  }
}

/** Answers the question for references with what was heard before. */
export function replaying(way: Way, advertisement: Uint8Array): Way {
  return {
    request: async (request) => {
      if (!asksForReferences(request)) return way.request(request)
      const headers = { 'content-type': 'application/x-git-upload-pack-advertisement' }
      const { url, method = 'GET' } = request
      return { url, method, statusCode: 200, statusMessage: 'OK', headers, body: once(advertisement) }
    },
  }
}

const asksForReferences = ({ url, method = 'GET' }: GitHttpRequest): boolean =>
  method === 'GET' && /^https?:.*\/info\/refs\?service=git-upload-pack$/.test(url)

async function* once(bytes: Uint8Array): AsyncIterableIterator<Uint8Array> {
  yield bytes
}
