import type { KubeClientOptions, RawRequest, StreamRequest } from './client-types.ts'
import type { Credentials } from './credentials.ts'
import { Deadline } from './deadline.ts'
import { KubeUnreachableError } from './errors.ts'
import { encodeJson } from './json.ts'
import type { Endpoint } from './kubeconfig.ts'
import type { Limiter } from './limiter.ts'
import { LineReader } from './line-reader.ts'
import { apiErrorOf } from './status.ts'
import { ConnectionError, type HttpRequest, type HttpResponse, type Transport } from './transport.ts'

/** Tries of one request when the server answers "too many requests" or the connection breaks. */
const maxTries = 5
const defaultRetryAfterMs = 1000
const defaultTimeoutMs = 30_000

const retryablePatches = ['application/apply-patch+yaml', 'application/merge-patch+json']

export interface RequesterOptions {
  endpoint: Endpoint
  credentials: Credentials
  transport: Transport
  limiter: Limiter
  options: KubeClientOptions
}

/** Sends requests: headers, credentials, the wait for a free stream, retries, the deadline over all of it. */
export class Requester {
  readonly #endpoint: Endpoint
  readonly #basePath: string
  readonly #credentials: Credentials
  readonly #transport: Transport
  readonly #limiter: Limiter
  readonly #timeoutMs: number
  readonly #headers: Record<string, string>
  readonly #beforeWrite: (() => void) | undefined

  constructor({ endpoint, credentials, transport, limiter, options }: RequesterOptions) {
    this.#endpoint = endpoint
    this.#basePath = new URL(endpoint.server).pathname.replace(/\/$/, '')
    this.#credentials = credentials
    this.#transport = transport
    this.#limiter = limiter
    this.#timeoutMs = options.requestTimeoutMs ?? defaultTimeoutMs
    this.#beforeWrite = options.beforeWrite
    this.#headers = { 'user-agent': options.userAgent ?? 'setpoint', ...endpoint.impersonation }
  }

  /** The answer to a request that the server accepted; also a 304 when the request was conditional. */
  async send(request: RawRequest, extraHeaders?: Record<string, string>): Promise<HttpResponse> {
    using deadline = this.#deadline(request, request.signal)
    const body = request.body === undefined ? undefined : encodeJson(request.body)
    for (let attempt = 1; ; attempt++) {
      const httpRequest = await this.#build(request, body, extraHeaders, deadline)
      const result = await this.#try(httpRequest, deadline)
      if (result instanceof ConnectionError) {
        if (attempt >= maxTries || !mayRepeat(request, result)) throw unreachable(result)
      } else if (result.status < 400) {
        return result
      } else if (attempt >= maxTries || !(await this.#waitToRepeat(result, attempt, deadline))) {
        throw apiErrorOf(request, result)
      }
    }
  }

  /** Reads an answer line by line until it ends. */
  async stream(request: StreamRequest): Promise<void> {
    using deadline = this.#deadline({ method: 'GET', ...request }, request.signal)
    const raw: RawRequest = {
      method: 'GET',
      path: request.path,
      query: request.query,
      accept: request.accept,
    }
    const httpRequest = await this.#build(raw, undefined, undefined, deadline)
    const lines = new LineReader(request.onLine)
    let refusal: HttpResponse | undefined
    const handlers = {
      onHead: (status: number, contentType: string) => {
        if (status >= 400) refusal = { status, contentType, body: Buffer.alloc(0) }
        else request.onOpen?.()
      },
      onData: (chunk: Buffer) => {
        if (refusal) refusal.body = Buffer.concat([refusal.body, chunk]).subarray(0, 1024 * 1024)
        else lines.add(chunk)
      },
    }
    try {
      await this.#transport.stream(httpRequest, deadline, request.signal, handlers)
    } catch (error) {
      throw error instanceof ConnectionError ? unreachable(error) : error
    }
    if (refusal?.status === 401) this.#credentials.expire()
    if (refusal) throw apiErrorOf(raw, refusal)
    lines.end()
  }

  #deadline(
    request: { method: string; path: string; timeoutMs?: number | undefined },
    signal?: AbortSignal,
  ): Deadline {
    const timeoutMs = request.timeoutMs ?? this.#timeoutMs
    const what = `${request.method} ${request.path}`
    const message = `${what}: no answer from ${this.#endpoint.server} within ${timeoutMs / 1000} s`
    return new Deadline({ timeoutMs, signal, message })
  }

  async #build(
    request: RawRequest,
    body: Buffer | undefined,
    extraHeaders: Record<string, string> | undefined,
    deadline: Deadline,
  ): Promise<HttpRequest> {
    const headers: Record<string, string> = {
      ...this.#headers,
      accept: request.accept ?? 'application/json',
      ...(await deadline.race(this.#credentials.headers())),
      ...extraHeaders,
    }
    if (body) {
      headers['content-type'] = request.contentType ?? 'application/json'
      headers['content-length'] = String(body.length)
    }
    if (request.impersonate !== undefined) headers['impersonate-user'] = request.impersonate
    return {
      method: request.method,
      target: this.#basePath + request.path + queryOf(request.query),
      headers,
      body,
      beforeSend: isWrite(request) ? this.#beforeWrite : undefined,
    }
  }

  async #try(request: HttpRequest, deadline: Deadline): Promise<HttpResponse | ConnectionError> {
    await this.#limiter.acquire(deadline)
    try {
      return await this.#transport.send(request, deadline)
    } catch (error) {
      if (error instanceof ConnectionError) return error
      throw error
    } finally {
      this.#limiter.release()
    }
  }

  /** True when the request is worth another try, after the wait that the server asked for. */
  async #waitToRepeat(response: HttpResponse, attempt: number, deadline: Deadline): Promise<boolean> {
    if (response.status === 401) return attempt === 1 && this.#credentials.expire()
    const busy = response.status === 429 || (response.status >= 500 && response.retryAfterMs !== undefined)
    // Up to half longer than asked for: requests that were refused together must not come back together.
    const waitMs = (response.retryAfterMs ?? defaultRetryAfterMs) * (1 + Math.random() / 2)
    if (!busy || waitMs >= deadline.remainingMs) return false
    await deadline.pause(waitMs)
    return true
  }
}

/** Dry runs change nothing. */
function isWrite({ method, query }: RawRequest): boolean {
  return method !== 'GET' && query?.dryRun === undefined
}

/** Whether a broken request may be sent again: the server has not worked on it, or doing it twice is no harm. */
function mayRepeat(request: RawRequest, error: ConnectionError): boolean {
  if (!error.connected) return false
  if (error.processed === 'no') return true
  if (request.query?.dryRun !== undefined) return true
  if (request.method === 'PATCH') return retryablePatches.includes(request.contentType ?? '')
  return request.method !== 'POST'
}

function unreachable(error: ConnectionError): KubeUnreachableError {
  return new KubeUnreachableError(error.message, { cause: error.cause })
}

function queryOf(query: Record<string, string> | undefined): string {
  if (query === undefined) return ''
  const text = new URLSearchParams(query).toString()
  return text === '' ? '' : `?${text}`
}
