import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { Duplex } from 'node:stream'
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls'
import { displayUrl, GitError } from './errors.ts'
import { OperationLimits } from './operation-limits.ts'
import type { GitCredentials, RemoteOptions } from './remote-options.ts'
import type { Transport, TransportRequest, TransportResponse } from './transport.ts'
import { type Endpoint, openTunnel, proxyAddress, proxyAuthorization } from './tunnel.ts'

const DEFAULT_MAX_REDIRECTS = 5

/**
 * HTTP for one operation: bounded in time and bytes, with credentials that never leave the host they are for.
 * A redirect of the first request moves the later ones too, as git does it.
 */
export function httpTransport(options: RemoteOptions): Transport {
  return new HttpTransport(options)
}

class HttpTransport implements Transport {
  private readonly options: RemoteOptions
  private readonly limits: OperationLimits
  private readonly agents: { 'http:': HttpAgent; 'https:': HttpAgent }
  /** Answers that were not read to their end. */
  private readonly open = new Set<IncomingMessage>()
  /** Where the repository was found to be, after redirects. */
  private base: { from: string; to: string } | undefined

  constructor(options: RemoteOptions) {
    this.options = options
    this.limits = new OperationLimits(options)
    this.agents = { 'http:': plainAgent(options, this.limits), 'https:': secureAgent(options, this.limits) }
  }

  get receivedBytes(): number {
    return this.limits.receivedBytes
  }

  async request({ url, method = 'GET', headers = {}, body }: TransportRequest): Promise<TransportResponse> {
    const { maxRedirects = DEFAULT_MAX_REDIRECTS } = this.options
    let target = this.moved(url)
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      const answer = await this.send(target, method, headers, body)
      if (
        answer.statusCode === 429 ||
        (answer.statusCode === 503 && answer.headers['retry-after'] !== undefined)
      )
        throw rateLimited(target, answer)
      const location = answer.headers.location
      if (location === undefined || ![301, 302, 303, 307, 308].includes(answer.statusCode)) {
        if (target.href !== url) this.rememberMove(url, target)
        return { url: target.href, ...answer }
      }
      target = this.redirected(target, location, 'authorization' in headers)
    }
    throw new GitError('ServerError', `${displayUrl(url)} redirects more than ${maxRedirects} times`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const answer of this.open) answer.destroy()
    for (const agent of Object.values(this.agents)) agent.destroy()
  }

  private moved(url: string): URL {
    if (this.base === undefined || !url.startsWith(this.base.from)) return new URL(url)
    return new URL(this.base.to + url.slice(this.base.from.length))
  }

  /** `A/info/refs` answered at `B/info/refs`: the repository A is at B. */
  private rememberMove(url: string, target: URL): void {
    const marker = '/info/refs'
    const from = url.indexOf(marker)
    const to = target.href.indexOf(marker)
    if (from > 0 && to > 0) this.base = { from: url.slice(0, from), to: target.href.slice(0, to) }
  }

  private redirected(from: URL, location: string, isAuthorized: boolean): URL {
    const shown = displayUrl(from.href)
    const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined
    if (target === undefined || !['http:', 'https:'].includes(target.protocol))
      throw new GitError('ServerError', `${shown} redirects to what is no HTTP address`)
    if (from.protocol === 'https:' && target.protocol === 'http:')
      throw new GitError('ServerError', `${shown} redirects from https to http; refused`)
    if ((isAuthorized || this.hasCredentials()) && !this.isHome(target))
      throw new GitError(
        'ServerError',
        `${shown} redirects to another host, ${target.host}, which must not get the credentials; if that is right, put its address into the URL`,
      )
    return target
  }

  private async send(target: URL, method: string, headers: object, content: Uint8Array | undefined) {
    const sent: Record<string, string> = { 'user-agent': 'git/setpoint', ...headers }
    if (content !== undefined) sent['content-length'] = String(content.length)
    const authorization = this.authorizationFor(target)
    if (authorization !== undefined) sent.authorization = authorization
    try {
      const answer = await this.exchange(target, method, sent, content)
      if (answer.statusCode !== 407) return answer
      throw new GitError('AuthenticationFailed', 'the proxy refused the credentials (HTTP 407)')
    } catch (cause) {
      throw this.limits.problem(cause, target.host)
    }
  }

  private hasCredentials(): boolean {
    const { auth, clientCertificate, url } = this.options
    return (auth ?? clientCertificate ?? credentialsOfUrl(new URL(url))) !== undefined
  }

  /** Credentials go to the host of the repository only, and never from https down to http. */
  private authorizationFor(target: URL): string | undefined {
    if (!this.isHome(target)) return undefined
    const credentials = this.options.auth ?? credentialsOfUrl(new URL(this.options.url))
    return credentials === undefined ? undefined : authorization(credentials)
  }

  private isHome(target: URL): boolean {
    const home = new URL(this.options.url)
    const upgraded =
      home.protocol === 'http:' && target.protocol === 'https:' && home.port === '' && target.port === ''
    return target.hostname === home.hostname && (target.origin === home.origin || upgraded)
  }

  private exchange(
    target: URL,
    method: string,
    headers: Record<string, string>,
    content: Uint8Array | undefined,
  ) {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const request = this.ask(target, method, headers)
    request.once('response', (response) => resolve(this.answerOf(response, target)))
    request.on('error', reject)
    request.end(content)
    return promise
  }

  /** An http address behind an HTTP proxy is asked of the proxy itself; everything else goes through a tunnel. */
  private ask(target: URL, method: string, headers: Record<string, string>): ClientRequest {
    const { proxy } = this.options
    const bare = new URL(target)
    bare.username = ''
    bare.password = ''
    const { signal } = this.limits
    const address = proxy && proxyAddress(proxy)
    if (proxy === undefined || target.protocol === 'https:' || !address?.protocol.startsWith('http'))
      return (target.protocol === 'https:' ? requestHttps : requestHttp)(bare, {
        method,
        headers,
        signal,
        agent: this.agents[target.protocol === 'https:' ? 'https:' : 'http:'],
      })
    const authorization = proxyAuthorization(proxy)
    const all = authorization === undefined ? headers : { ...headers, 'proxy-authorization': authorization }
    const send = address.protocol === 'https:' ? requestHttps : requestHttp
    return send(address, { method, headers: { host: target.host, ...all }, path: bare.href, signal })
  }

  private answerOf(response: IncomingMessage, target: URL): Answer {
    this.open.add(response)
    response.once('close', () => this.open.delete(response))
    return {
      statusCode: response.statusCode ?? 0,
      headers: response.headers,
      body: this.bodyOf(response, target.host),
    }
  }

  /** The bytes as they arrive. */
  private async *bodyOf(response: IncomingMessage, host: string): AsyncIterable<Uint8Array> {
    try {
      for await (const chunk of response) {
        this.limits.count(chunk.length)
        yield chunk
      }
      if (!response.complete) throw new Error('the connection broke in the middle of an answer')
    } catch (cause) {
      throw this.limits.problem(cause, host)
    }
  }
}

const DEFAULT_RETRY_MS = 60_000
const MAX_RETRY_MS = 3_600_000

function rateLimited({ host }: URL, { statusCode, headers }: Answer): GitError {
  const given = headers['retry-after'] ?? ''
  const wait = /^\d+$/.test(given) ? Number(given) * 1000 : Date.parse(given) - Date.parse(headers.date ?? '')
  const retryAfterMs = Math.min(Number.isNaN(wait) ? DEFAULT_RETRY_MS : Math.max(wait, 1_000), MAX_RETRY_MS)
  const message = `${host} asks to be left alone for ${Math.ceil(retryAfterMs / 1000)} s (HTTP ${statusCode})`
  return new GitError('RateLimited', message, { retryAfterMs })
}

type Created = (error: Error | null, stream: Duplex) => void

function plainAgent(options: RemoteOptions, limits: OperationLimits): HttpAgent {
  const agent = new HttpAgent({ keepAlive: true })
  agent.createConnection = (to, created) => hand(openTunnel(endpointOf(to), options, limits.signal), created)
  return agent
}

function secureAgent(options: RemoteOptions, limits: OperationLimits): HttpsAgent {
  const agent = new HttpsAgent({ keepAlive: true })
  agent.createConnection = (to, created) => hand(secureTunnel(endpointOf(to), options, limits), created)
  return agent
}

async function secureTunnel(to: Endpoint, options: RemoteOptions, limits: OperationLimits): Promise<Duplex> {
  const context = secureContext(options)
  const socket = await openTunnel(to, options, limits.signal)
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>()
  const secure = connectTls({ secureContext: context, socket, host: to.host, ...serverName(to.host) })
  secure.once('secureConnect', () => resolve(secure))
  secure.once('error', reject)
  return promise
}

/** Node's agents take a connection by callback when none is returned. */
function hand(opening: Promise<Duplex>, created: Created | undefined): undefined {
  opening.then(
    (stream) => created?.(null, stream),
    (error: Error) => created?.(error, undefined as unknown as Duplex),
  )
}

function endpointOf(to: {
  host?: string | null | undefined
  port?: string | number | null | undefined
}): Endpoint {
  return { host: to.host ?? '', port: Number(to.port) }
}

/** A name tells the server which certificate is meant; an address must not be sent. */
function serverName(host: string): { servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host }
}

/** @throws GitError when a certificate or key of the Secret cannot be read */
function secureContext({ caPem, clientCertificate }: RemoteOptions): SecureContext {
  try {
    return createSecureContext({
      ...(caPem === undefined ? {} : { ca: caPem }),
      ...(clientCertificate && { cert: clientCertificate.certPem, key: clientCertificate.keyPem }),
    })
  } catch {
    throw new GitError('AuthenticationFailed', 'the certificate, key or authority for TLS cannot be read')
  }
}

type Answer = Omit<TransportResponse, 'url'>

function credentialsOfUrl(url: URL): GitCredentials | undefined {
  if (url.username === '') return undefined
  try {
    return { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
  } catch {
    const problem = 'the user or password in the URL cannot be decoded: a % in it is written %25'
    throw new GitError('AuthenticationFailed', problem)
  }
}

function authorization(credentials: GitCredentials): string {
  if ('bearerToken' in credentials) return `Bearer ${credentials.bearerToken}`
  const { username, password } = credentials
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
