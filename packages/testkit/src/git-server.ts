import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { join } from 'node:path'
import { certificateAuthority } from './certificate.ts'
import { serveGit } from './git-http-backend.ts'
import { isLfs, serveLfs } from './git-lfs-server.ts'
import { createRepository, type GitRepo } from './git-repo.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** One answered HTTP request. */
export interface GitRequest {
  method: string
  /** With the query. */
  path: string
  status: number
  /** Bytes of the answer's body. */
  sentBytes: number
}

/** A smart-HTTP Git server: `git http-backend` behind a few lines of Node. */
export interface GitServer extends AsyncDisposable {
  /** Without a slash at the end. */
  url: string
  /** The certificate authority to trust, when it serves HTTPS. */
  caPem?: string
  /** A certificate that it lets in, when it asks for one. */
  client?: { cert: string; key: string }
  /** The last answered requests, oldest first. */
  requests: GitRequest[]
  /** Creates an empty repository at `URL/NAME.git`. */
  create(name: string, options?: { branch?: string }): Promise<GitRepo>
  /** While offline every connection is closed without an answer. */
  setOffline(offline: boolean): void
  /** Holds the next request whose method and path fit, until it is released; one whose client is gone is dropped. */
  hold(fits: (request: { method: string; path: string }) => boolean): Held
}

/** A request that waits at the door of the server. */
export interface Held {
  reached: Promise<void>
  release(): void
}

export interface GitServerOptions {
  tls?: boolean
  /** With tls: the time of its certificate is over. */
  expired?: boolean
  /** With tls: only clients with a certificate of the server's own authority are let in. */
  clientCertificates?: boolean
  basic?: { username: string; password: string }
  bearerToken?: string
  /** Whether a request with this Authorization is let in, besides the two above. */
  allows?(authorization: string): boolean
  /** Further names that it answers to, with TLS. */
  names?: string[]
  /** Files that it gives by the batch API of Git LFS, by their SHA-256. */
  lfs?: ReadonlyMap<string, Buffer>
  /** Where the repositories are; a temporary directory when left out. */
  root?: string
  port?: number
  /** Called after a push over HTTP was accepted, with the repository's name. */
  onPush?(name: string): void
}

const KEPT_REQUESTS = 10_000

/** Starts a Git server on 127.0.0.1. */
export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const home = await temporaryDirectory('git')
  const root = options.root ?? home.path
  const requests: GitRequest[] = []
  const gate = new Gate()
  const { server, caPem, client } = createServer(options, async (request, response) => {
    await gate.pass(request)
    if (request.socket.destroyed) return
    record(requests, request, response)
    reportPush(request, response, options)
    if (isAllowed(request.headers.authorization, options))
      return options.lfs !== undefined && isLfs(request)
        ? void serveLfs(options.lfs, request, response)
        : serveGit(root, request, response)
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('wrong credentials\n')
  })
  const connections = track(server)
  const port = await listen(server, options.port ?? 0)
  const url = `${caPem === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  return {
    url,
    ...(caPem === undefined ? {} : { caPem }),
    ...(client === undefined ? {} : { client }),
    requests,
    create: (name, { branch = 'main' } = {}) =>
      createRepository(join(root, `${name}.git`), `${url}/${name}.git`, branch),
    setOffline: connections.setOffline,
    hold: (fits) => gate.hold(fits),
    async [Symbol.asyncDispose]() {
      connections.setOffline(true)
      await new Promise((resolve) => server.close(resolve))
      await home[Symbol.asyncDispose]()
    },
  }
}

/** Where requests are held. */
class Gate {
  private waiting:
    | { fits: Parameters<GitServer['hold']>[0]; reached(): void; released: Promise<void> }
    | undefined

  hold(fits: Parameters<GitServer['hold']>[0]): Held {
    const reached = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    this.waiting = { fits, reached: () => reached.resolve(), released: released.promise }
    return { reached: reached.promise, release: () => released.resolve() }
  }

  async pass({ method = '', url: path = '' }: IncomingMessage): Promise<void> {
    const { waiting } = this
    if (waiting === undefined || !waiting.fits({ method, path })) return
    this.waiting = undefined
    waiting.reached()
    await waiting.released
  }
}

function createServer(
  { tls = false, clientCertificates = false, expired = false, names = [] }: GitServerOptions,
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): { server: Server; caPem?: string; client?: { cert: string; key: string } } {
  if (!tls) return { server: createHttpServer(handler) }
  const authority = certificateAuthority('git')
  const { cert, key } = authority.issue({
    commonName: '127.0.0.1',
    server: ['127.0.0.1', 'localhost', ...names],
    expired,
  })
  if (!clientCertificates) return { server: createHttpsServer({ cert, key }, handler), caPem: authority.pem }
  const mutual = { cert, key, ca: authority.pem, requestCert: true, rejectUnauthorized: true }
  return {
    server: createHttpsServer(mutual, handler),
    caPem: authority.pem,
    client: authority.issue({ commonName: 'setpoint' }),
  }
}

function isAllowed(header: string | undefined, { basic, bearerToken, allows }: GitServerOptions): boolean {
  const accepted: string[] = []
  if (basic) accepted.push(`Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString('base64')}`)
  if (bearerToken !== undefined) accepted.push(`Bearer ${bearerToken}`)
  if (accepted.length === 0 && allows === undefined) return true
  return header !== undefined && (accepted.includes(header) || allows?.(header) === true)
}

function record(requests: GitRequest[], request: IncomingMessage, response: ServerResponse): void {
  const before = request.socket.bytesWritten
  response.once('close', () => {
    requests.push({
      method: request.method ?? '',
      path: request.url ?? '',
      status: response.statusCode,
      sentBytes: request.socket.bytesWritten - before,
    })
    if (requests.length > KEPT_REQUESTS) requests.shift()
  })
}

function reportPush(request: IncomingMessage, response: ServerResponse, { onPush }: GitServerOptions): void {
  const name = /^\/(.+)\.git\/git-receive-pack$/.exec(request.url ?? '')?.[1]
  if (name === undefined || request.method !== 'POST' || onPush === undefined) return
  response.once('finish', () => response.statusCode === 200 && onPush(name))
}

function track(server: Server): { setOffline(offline: boolean): void } {
  const sockets = new Set<Socket>()
  let offline = false
  server.on('connection', (socket: Socket) => {
    if (offline) return socket.destroy()
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const setOffline = (value: boolean) => {
    offline = value
    if (offline) for (const socket of sockets) socket.destroy()
  }
  return { setOffline }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}
