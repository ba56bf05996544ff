import type { ClientChannel } from 'ssh2'
import { parseAddress } from '../address.ts'
import { GitError } from '../errors.ts'
import { OperationLimits } from '../operation-limits.ts'
import { FLUSH, pktLine } from '../pkt-line.ts'
import type { RemoteOptions } from '../remote-options.ts'
import type { Transport, TransportRequest, TransportResponse } from '../transport.ts'
import { ChannelReader } from './channel-reader.ts'
import { connectSsh, type SshConnection } from './ssh-connection.ts'

const SERVICES = ['git-upload-pack', 'git-receive-pack'] as const
type Service = (typeof SERVICES)[number]

/**
 * Git over SSH in the clothes of smart HTTP: the first request starts the program on the server and answers with
 * what it advertises, the second one is its standard input and output.
 */
export function sshTransport(options: RemoteOptions): Transport {
  return new SshTransport(options)
}

interface Session {
  service: Service
  channel: ClientChannel
  reader: ChannelReader
}

class SshTransport implements Transport {
  private readonly options: RemoteOptions
  private readonly limits: OperationLimits
  private readonly address: URL
  private connection: SshConnection | undefined
  private session: Session | undefined

  constructor(options: RemoteOptions) {
    this.options = options
    this.limits = new OperationLimits(options)
    this.address = parseAddress(options.url)
  }

  get receivedBytes(): number {
    return this.limits.receivedBytes
  }

  async request({ url, method = 'GET', body }: TransportRequest): Promise<TransportResponse> {
    const service = SERVICES.find((name) => url.endsWith(name))
    if (service === undefined) throw new GitError('ProtocolError', 'a service that SSH does not have')
    const answer = method === 'GET' ? await this.advertise(service) : this.exchange(service, body)
    return { url, statusCode: 200, headers: {}, body: answer }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A flush says that nothing more is wanted; without it the program at the other end complains.
    this.session?.channel.end('0000')
    this.connection?.[Symbol.dispose]()
  }

  private async advertise(service: Service): Promise<AsyncIterable<Uint8Array>> {
    this.connection ??= await connectSsh(this.options, this.limits)
    const session = await this.open(this.connection, service)
    this.session = session
    return iterate([pktLine(`# service=${service}\n`), FLUSH, await session.reader.advertisement()])
  }

  private async open(connection: SshConnection, service: Service): Promise<Session> {
    try {
      const channel = await connection.run(`${service} ${quoted(pathOf(this.address))}`)
      channel.on('error', () => undefined)
      return { service, channel, reader: new ChannelReader(channel, this.limits, this.address.host) }
    } catch (cause) {
      throw this.limits.problem(cause, this.address.host)
    }
  }

  private async *exchange(service: Service, body: Uint8Array | undefined): AsyncIterable<Uint8Array> {
    const { session } = this
    this.session = undefined
    if (session?.service !== service) throw new GitError('ProtocolError', 'the SSH session was not opened')
    session.channel.end(body)
    yield* session.reader.all()
  }
}

/** `/~ada/x` means `~ada/x`, as in git. */
function pathOf({ pathname }: URL): string {
  const path = decodeURIComponent(pathname).replace(/\/+$/, '')
  return path.startsWith('/~') ? path.slice(1) : path
}

/** For the shell at the other end, as git quotes it. */
function quoted(path: string): string {
  return `'${path.replaceAll(/['!]/g, (char) => `'\\${char}'`)}'`
}

async function* iterate(chunks: Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks
}
