import { withoutCredentials } from '../address.ts'
import { displayUrl } from '../errors.ts'
import type { RemoteOptions } from '../remote-options.ts'
import { httpProblem } from '../translate-error.ts'
import { openTransport, type Transport, type TransportResponse } from '../transport.ts'
import { type Advertisement, readAdvertisement } from './advertisement.ts'
import { type FetchAnswer, readAnswer } from './answer.ts'
import { PktLineReader } from './pkt-line-reader.ts'
import { type FetchWish, fetchRequest } from './request.ts'

const SERVICE = 'git-upload-pack'

/** One conversation with git-upload-pack: what it advertises, and what it answers to one request. */
export class UploadPack implements AsyncDisposable {
  readonly advertisement: Advertisement
  /** The advertisement is that of another address, to which the server sent us on. */
  readonly isElsewhere: boolean
  private readonly transport: Transport
  private readonly url: string

  private constructor(transport: Transport, url: string, { advertisement, isElsewhere }: Heard) {
    this.transport = transport
    this.url = url
    this.advertisement = advertisement
    this.isElsewhere = isElsewhere
  }

  /** @param heard what a server that can be asked by HTTP said before: it is not asked again @throws GitError */
  static async open(remote: RemoteOptions, heard?: Advertisement): Promise<UploadPack> {
    const url = withoutCredentials(remote.url)
    const transport = await openTransport(remote)
    try {
      const found =
        heard === undefined
          ? await hear(transport, url, displayUrl(remote.url))
          : { advertisement: heard, isElsewhere: false }
      return new UploadPack(transport, url, found)
    } catch (error) {
      await transport[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Bytes that came over the network so far. */
  get receivedBytes(): number {
    return this.transport.receivedBytes
  }

  /** Asks once; the pack comes while it is read. @throws GitError Refused when the server says why not */
  async fetch(wish: FetchWish): Promise<FetchAnswer> {
    const shown = displayUrl(this.url)
    const answer = await this.transport.request({
      url: `${this.url}/${SERVICE}`,
      method: 'POST',
      headers: {
        'content-type': `application/x-${SERVICE}-request`,
        accept: `application/x-${SERVICE}-result`,
      },
      body: fetchRequest(wish, this.advertisement.capabilities),
    })
    const lines = linesOf(answer, shown)
    return readAnswer(lines, { isShallow: wish.isShallow === true, shown })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport[Symbol.asyncDispose]()
  }
}

interface Heard {
  advertisement: Advertisement
  isElsewhere: boolean
}

async function hear(transport: Transport, base: string, shown: string): Promise<Heard> {
  const url = `${base}/info/refs?service=${SERVICE}`
  const answer = await transport.request({ url })
  const advertisement = await readAdvertisement(linesOf(answer, shown), { service: SERVICE, shown })
  return { advertisement, isElsewhere: answer.url !== url }
}

function linesOf({ statusCode, body }: TransportResponse, shown: string): PktLineReader {
  if (statusCode !== 200) throw httpProblem(statusCode, shown)
  return new PktLineReader(body, shown)
}
