import { Agent, type ClientRequest, type IncomingMessage, request as sendRequest } from 'node:http'
import type { Deadline } from './deadline.ts'
import type { Endpoint } from './kubeconfig.ts'
import {
  BodyReader,
  ConnectionError,
  type HttpRequest,
  type HttpResponse,
  type HttpStreamHandlers,
  parseRetryAfter,
  type Transport,
} from './transport.ts'

/**
 * For http:// servers such as `kubectl proxy`, which speak HTTP/2 over TLS only.
 * Connections are kept alive; watches have their own.
 */
export class Http1Transport implements Transport {
  readonly #server: URL
  readonly #requests = new Agent({ keepAlive: true })
  readonly #watches = new Agent({ keepAlive: false })

  constructor(endpoint: Endpoint) {
    this.#server = new URL(endpoint.server)
  }

  send(request: HttpRequest, deadline: Deadline): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      request.beforeSend?.()
      const outgoing = this.#start(request, this.#requests, reject)
      const stop = deadline.onExpired((error) => cancel(outgoing, reject, error))
      outgoing.once('close', stop)
      outgoing.once('response', (incoming) => {
        const body = new BodyReader()
        incoming.on('data', (chunk: Buffer) => {
          if (!body.add(chunk))
            cancel(outgoing, reject, new Error(`${request.target}: the answer is too large`))
        })
        incoming.once('end', () => resolve(responseOf(incoming, body)))
        incoming.once('error', (cause) => reject(this.#broken(cause)))
      })
    })
  }

  stream(
    request: HttpRequest,
    deadline: Deadline,
    signal: AbortSignal,
    handlers: HttpStreamHandlers,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const outgoing = this.#start(request, this.#watches, reject)
      const onAbort = () => cancel(outgoing, reject, signal.reason)
      const stop = deadline.onExpired((error) => cancel(outgoing, reject, error))
      signal.addEventListener('abort', onAbort, { once: true })
      outgoing.once('close', () => {
        stop()
        signal.removeEventListener('abort', onAbort)
      })
      outgoing.once('response', (incoming) => {
        stop()
        incoming.once('end', resolve)
        incoming.once('error', (cause) => reject(this.#broken(cause)))
        try {
          handlers.onHead(incoming.statusCode ?? 0, incoming.headers['content-type'] ?? '')
          incoming.on('data', (chunk: Buffer) => guard(() => handlers.onData(chunk), outgoing, reject))
        } catch (error) {
          cancel(outgoing, reject, error)
        }
      })
    })
  }

  close(): void {
    this.#requests.destroy()
    this.#watches.destroy()
  }

  #start(request: HttpRequest, agent: Agent, reject: (error: unknown) => void): ClientRequest {
    const { hostname, port } = this.#server
    const outgoing = sendRequest({
      agent,
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? 80 : Number(port),
      method: request.method,
      path: request.target,
      headers: request.headers,
    })
    outgoing.once('error', (cause) => reject(this.#broken(cause, outgoing.reusedSocket)))
    outgoing.end(request.body)
    return outgoing
  }

  #broken(cause: Error & { code?: string }, connected = true): ConnectionError {
    const refused = cause.code === 'ECONNREFUSED' || cause.code === 'ENOTFOUND'
    const message = `${this.#server.origin} can't be reached: ${cause.message}`
    return new ConnectionError(message, { processed: refused ? 'no' : 'unknown', connected, cause })
  }
}

function responseOf(incoming: IncomingMessage, body: BodyReader): HttpResponse {
  return {
    status: incoming.statusCode ?? 0,
    contentType: incoming.headers['content-type'] ?? '',
    retryAfterMs: parseRetryAfter(incoming.headers['retry-after']),
    etag: incoming.headers.etag,
    body: body.read(),
  }
}

function guard(work: () => void, outgoing: ClientRequest, reject: (error: unknown) => void): void {
  try {
    work()
  } catch (error) {
    cancel(outgoing, reject, error)
  }
}

function cancel(outgoing: ClientRequest, reject: (error: unknown) => void, error: unknown): void {
  reject(error)
  outgoing.destroy()
}
