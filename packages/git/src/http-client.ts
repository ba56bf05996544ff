import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { GitHttpRequest, GitHttpResponse } from 'isomorphic-git'
import { displayUrl, GitError } from './errors.ts'
import { DEFAULT_MAX_BYTES, type GitCredentials, type RemoteOptions } from './remote-options.ts'
import { codeOf, messageOf } from './translate-error.ts'

const MAX_REDIRECTS = 5

/** What isomorphic-git sends its requests with; one per operation, so that its limits hold for the whole of it. */
export interface OperationHttp extends AsyncDisposable {
  request(request: GitHttpRequest): Promise<GitHttpResponse>
  readonly receivedBytes: number
}

/**
 * HTTP for one operation: bounded in time and bytes, with credentials that never leave the host they are for.
 * A redirect of the first request moves the later ones too, as git does it.
 */
export function operationHttp(options: RemoteOptions): OperationHttp {
  const operation = new Operation(options)
  return operation
}

class Operation implements OperationHttp {
  receivedBytes = 0
  private readonly options: RemoteOptions
  private readonly maxBytes: number
  private readonly signal: AbortSignal
  private readonly agent: HttpAgent
  /** Where the repository was found to be, after redirects. */
  private base: { from: string; to: string } | undefined

  constructor(options: RemoteOptions) {
    this.options = options
    this.maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES
    const timeout = AbortSignal.timeout(options.timeoutMs)
    this.signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal])
    this.agent = options.url.startsWith('https:')
      ? new HttpsAgent({ keepAlive: true, ...(options.caPem === undefined ? {} : { ca: options.caPem }) })
      : new HttpAgent({ keepAlive: true })
  }

  async request({ url, method = 'GET', headers = {}, body }: GitHttpRequest): Promise<GitHttpResponse> {
    const content = body === undefined ? undefined : await collect(body)
    let target = this.moved(url)
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const answer = await this.send(target, method, headers, content)
      const location = answer.headers.location
      if (location === undefined || ![301, 302, 303, 307, 308].includes(answer.status)) {
        if (target.href !== url) this.rememberMove(url, target)
        return toGitResponse(target, method, answer)
      }
      target = this.redirected(target, location)
    }
    throw new GitError('ServerError', `${displayUrl(url)} redirects more than ${MAX_REDIRECTS} times`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.agent.destroy()
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

  private redirected(from: URL, location: string): URL {
    const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined
    if (target === undefined || !['http:', 'https:'].includes(target.protocol))
      throw new GitError('ServerError', `${displayUrl(from.href)} redirects to what is no HTTP address`)
    if (from.protocol === 'https:' && target.protocol === 'http:')
      throw new GitError('ServerError', `${displayUrl(from.href)} redirects from https to http; refused`)
    return target
  }

  private async send(target: URL, method: string, headers: object, content: Buffer | undefined) {
    const sent: Record<string, string> = { 'user-agent': 'git/setpoint', ...headers }
    if (content !== undefined) sent['content-length'] = String(content.length)
    const authorization = this.authorizationFor(target)
    if (authorization !== undefined) sent.authorization = authorization
    try {
      return await this.exchange(target, method, sent, content)
    } catch (cause) {
      throw this.problem(cause, target)
    }
  }

  /** Credentials go to the host of the repository only, and never from https down to http. */
  private authorizationFor(target: URL): string | undefined {
    const home = new URL(this.options.url)
    const upgraded =
      home.protocol === 'http:' && target.protocol === 'https:' && home.port === '' && target.port === ''
    if (target.hostname !== home.hostname || !(target.origin === home.origin || upgraded)) return undefined
    const credentials = this.options.auth ?? credentialsOfUrl(home)
    return credentials === undefined ? undefined : authorization(credentials)
  }

  private exchange(
    target: URL,
    method: string,
    headers: Record<string, string>,
    content: Buffer | undefined,
  ) {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const send = target.protocol === 'https:' ? requestHttps : requestHttp
    const bare = new URL(target)
    bare.username = ''
    bare.password = ''
    const agent = (target.protocol === 'https:') === this.agent instanceof HttpsAgent ? this.agent : undefined
    const tls = this.options.caPem === undefined ? {} : { ca: this.options.caPem }
    const request = send(
      bare,
      { method, headers, signal: this.signal, ...tls, ...(agent === undefined ? {} : { agent }) },
      (response) => this.readAnswer(response).then(resolve, reject),
    )
    request.on('error', reject)
    request.end(content)
    return promise
  }

  private async readAnswer(response: IncomingMessage): Promise<Answer> {
    const chunks: Buffer[] = []
    for await (const chunk of response) {
      this.receivedBytes += chunk.length
      if (this.receivedBytes > this.maxBytes) {
        response.destroy()
        throw new GitError(
          'TooLarge',
          `${displayUrl(this.options.url)} sends more than the limit of ${this.maxBytes} bytes`,
        )
      }
      chunks.push(chunk)
    }
    if (!response.complete) throw new Error('the connection broke in the middle of an answer')
    return {
      status: response.statusCode ?? 0,
      statusText: response.statusMessage ?? '',
      headers: response.headers,
      chunks,
    }
  }

  private problem(cause: unknown, target: URL): GitError {
    if (cause instanceof GitError) return cause
    const host = target.host
    if (this.signal.aborted) {
      if (this.options.signal?.aborted) return new GitError('Timeout', `the operation on ${host} was stopped`)
      return new GitError('Timeout', `${host} did not answer within ${this.options.timeoutMs / 1000} s`)
    }
    return new GitError('Unreachable', `${host} cannot be reached: ${codeOf(cause) ?? messageOf(cause)}`)
  }
}

interface Answer {
  status: number
  statusText: string
  headers: IncomingMessage['headers']
  chunks: Buffer[]
}

function toGitResponse(target: URL, method: string, answer: Answer): GitHttpResponse {
  const headers = Object.entries(answer.headers).map(([name, value]) => [name, String(value)])
  return {
    url: target.href,
    method,
    statusCode: answer.status,
    statusMessage: answer.statusText,
    headers: Object.fromEntries(headers),
    body: iterate(answer.chunks),
  }
}

async function* iterate(chunks: Uint8Array[]): AsyncIterableIterator<Uint8Array> {
  yield* chunks
}

async function collect(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function credentialsOfUrl(url: URL): GitCredentials | undefined {
  if (url.username === '') return undefined
  return { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
}

function authorization(credentials: GitCredentials): string {
  if ('bearerToken' in credentials) return `Bearer ${credentials.bearerToken}`
  const { username, password } = credentials
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
