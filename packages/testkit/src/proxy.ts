import { createServer as createHttpServer, request } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export interface ProxyOptions {
  kind: 'http' | 'socks5'
  /** Who may use it; everybody when left out. */
  credentials?: { username: string; password: string }
  /** Where CONNECT leads to instead, as `host:port`. */
  routes?: Record<string, string>
}

/** A proxy on 127.0.0.1. */
export interface ProxyServer extends AsyncDisposable {
  /** `http://…` or `socks5://…`. */
  address: string
  /** Where it was asked to go, as `host:port`, oldest first. */
  targets: string[]
}

/** Starts an HTTP proxy (CONNECT, and http addresses asked of itself) or a SOCKS5 proxy. */
export async function startProxy(options: ProxyOptions): Promise<ProxyServer> {
  const targets: string[] = []
  const sockets = new Set<Socket>()
  const server = options.kind === 'http' ? httpProxy(options, targets) : socksProxy(options, targets)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `${options.kind}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    targets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function httpProxy({ credentials, routes = {} }: ProxyOptions, targets: string[]): Server {
  const wanted = credentials && `Basic ${btoa(`${credentials.username}:${credentials.password}`)}`
  const isAllowed = (given: string | undefined) => wanted === undefined || given === wanted
  const server = createHttpServer((incoming, response) => {
    if (!isAllowed(incoming.headers['proxy-authorization'])) return void response.writeHead(407).end()
    const target = new URL(incoming.url ?? '')
    targets.push(target.host)
    const { 'proxy-authorization': _own, ...headers } = incoming.headers
    const outgoing = request(target, { method: incoming.method ?? 'GET', headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    outgoing.on('error', () => response.destroy())
    incoming.pipe(outgoing)
  })
  server.on('connect', (incoming, client) => {
    if (!isAllowed(incoming.headers['proxy-authorization']))
      return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    const asked = incoming.url ?? ''
    targets.push(asked)
    const [host = '', port = ''] = (routes[asked] ?? asked).split(':')
    join(client as Socket, { host, port: Number(port) }, 'HTTP/1.1 200 Connection established\r\n\r\n')
  })
  return server
}

/** RFC 1928 and RFC 1929, only CONNECT. */
function socksProxy({ credentials }: ProxyOptions, targets: string[]): Server {
  return createServer(async (client) => {
    const next = () => new Promise<Buffer>((resolve) => client.once('data', resolve))
    await next()
    client.write(Buffer.from([5, credentials === undefined ? 0 : 2]))
    if (credentials !== undefined) {
      const { username, password } = credentials
      const wanted = [Buffer.from([1, username.length]), Buffer.from(username)]
      const isRight = (await next()).equals(
        Buffer.concat([...wanted, Buffer.from([password.length]), Buffer.from(password)]),
      )
      client.write(Buffer.from([1, isRight ? 0 : 1]))
      if (!isRight) return void client.end()
    }
    const { host, port } = socksTarget(await next())
    targets.push(`${host}:${port}`)
    join(client, { host, port }, Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
  })
}

function socksTarget(message: Buffer): { host: string; port: number } {
  const isName = message[3] === 3
  const end = isName ? 5 + (message[4] ?? 0) : 8
  const host = isName ? message.toString('latin1', 5, end) : [...message.subarray(4, 8)].join('.')
  return { host, port: message.readUInt16BE(end) }
}

function join(client: Socket, target: { host: string; port: number }, greeting: string | Buffer): void {
  const upstream = connect(target, () => {
    client.write(greeting)
    upstream.pipe(client)
    client.pipe(upstream)
  })
  upstream.on('error', () => client.destroy())
  client.once('close', () => upstream.destroy())
}
