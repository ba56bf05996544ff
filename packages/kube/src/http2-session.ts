import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { Deadline } from './deadline.ts'
import {
  BodyReader,
  ConnectionError,
  type HttpRequest,
  type HttpResponse,
  type HttpStreamHandlers,
  parseRetryAfter,
} from './transport.ts'

/** How often a connection is asked whether it still lives, and how long it may take to say so. */
const defaultPing = { intervalMs: 10_000, timeoutMs: 10_000 }
/** What the server may send before it has to wait for us: a page of a list in one go. */
const streamWindowBytes = 4 * 1024 * 1024
const connectionWindowBytes = 32 * 1024 * 1024

/** One HTTP/2 connection. */
export class Http2Session {
  readonly #session: ClientHttp2Session
  readonly #server: string
  readonly #ping: NodeJS.Timeout
  readonly #pingTimeoutMs: number
  #refusesNew = false
  /** Streams open now. */
  streams = 0

  constructor(server: string, socket: Socket, ping = defaultPing) {
    this.#server = server
    this.#pingTimeoutMs = ping.timeoutMs
    this.#session = connect(server, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: streamWindowBytes },
    })
    // Without a listener an error would end the process; each stream reports it to its own caller.
    this.#session.on('error', () => this.#retire())
    this.#session.on('goaway', () => this.#retire())
    this.#session.on('close', () => this.#retire())
    this.#session.once('connect', () => this.#session.setLocalWindowSize(connectionWindowBytes))
    this.#ping = setInterval(() => this.#checkAlive(), ping.intervalMs).unref()
  }

  /** New streams may be opened. */
  get usable(): boolean {
    return !this.#refusesNew && !this.#session.closed && !this.#session.destroyed
  }

  /** Streams that the server allows at once, as far as it has told. */
  get maxStreams(): number {
    return this.#session.remoteSettings?.maxConcurrentStreams ?? 100
  }

  /** Calls the listener with maxStreams each time that the server tells it. */
  onMaxStreams(listener: (maxStreams: number) => void): this {
    this.#session.on('remoteSettings', () => listener(this.maxStreams))
    return this
  }

  send(request: HttpRequest, deadline: Deadline): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      request.beforeSend?.()
      const stream = this.#open(request, reject)
      if (!stream) return
      const body = new BodyReader()
      let head: IncomingHttpHeaders | undefined
      const stop = deadline.onExpired((error) => {
        reject(error)
        stream.close(constants.NGHTTP2_CANCEL)
      })
      stream.on('response', (headers) => (head = headers))
      stream.on('data', (chunk: Buffer) => {
        if (body.add(chunk)) return
        reject(new Error(`${request.method} ${request.target}: the answer is too large`))
        stream.close(constants.NGHTTP2_CANCEL)
      })
      let complete = false
      stream.on('end', () => {
        if (head === undefined || !this.#isComplete(stream)) return
        complete = true
        resolve(responseOf(head, body))
      })
      stream.on('close', () => {
        stop()
        if (!complete) reject(this.#broken(stream))
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
      const stream = this.#open(request, reject)
      if (!stream) return
      const cancel = (error: unknown) => {
        reject(error)
        stream.close(constants.NGHTTP2_CANCEL)
      }
      const onAbort = () => cancel(signal.reason)
      const stop = deadline.onExpired(cancel)
      signal.addEventListener('abort', onAbort, { once: true })
      stream.on('response', (headers) => {
        stop()
        attempt(() => handlers.onHead(headers[':status'] ?? 0, headers['content-type'] ?? ''), cancel)
      })
      stream.on('data', (chunk: Buffer) => attempt(() => handlers.onData(chunk), cancel))
      stream.on('end', () => this.#isComplete(stream) && resolve())
      stream.on('close', () => {
        stop()
        signal.removeEventListener('abort', onAbort)
        reject(this.#broken(stream))
      })
    })
  }

  close(): void {
    this.#retire()
    this.#session.destroy()
  }

  #open(request: HttpRequest, reject: (error: unknown) => void): ClientHttp2Stream | undefined {
    const headers = { ':method': request.method, ':path': request.target, ...request.headers }
    try {
      const stream = this.#session.request(headers, { endStream: request.body === undefined })
      this.streams += 1
      // The 'close' event that follows says the same with the code of the reset.
      stream.on('error', () => undefined)
      stream.once('close', () => {
        this.streams -= 1
        this.#closeWhenDone()
      })
      if (request.body !== undefined) stream.end(request.body)
      return stream
    } catch (cause) {
      this.#retire()
      reject(
        new ConnectionError(this.#message('the connection is closing'), {
          processed: 'no',
          connected: true,
          cause,
        }),
      )
      return undefined
    }
  }

  /** A stream that was cut off ends too, with its session if not by itself; only these marks tell. */
  #isComplete(stream: ClientHttp2Stream): boolean {
    const reset = (stream.rstCode ?? 0) !== constants.NGHTTP2_NO_ERROR
    return !stream.aborted && !reset && !this.#session.destroyed
  }

  #broken(stream: ClientHttp2Stream): ConnectionError {
    const refused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM
    const reason = refused ? 'the server refused the stream' : 'the connection broke'
    return new ConnectionError(this.#message(reason), {
      processed: refused ? 'no' : 'unknown',
      connected: true,
    })
  }

  #message(reason: string): string {
    return `${this.#server}: ${reason}`
  }

  #retire(): void {
    if (this.#refusesNew) return
    this.#refusesNew = true
    this.#closeWhenDone()
  }

  #closeWhenDone(): void {
    if (!this.#refusesNew || this.streams > 0) return
    clearInterval(this.#ping)
    if (!this.#session.destroyed) this.#session.close()
  }

  /** A server that vanished without a word would leave watches waiting for ever. */
  #checkAlive(): void {
    if (this.#session.destroyed) {
      clearInterval(this.#ping)
      return
    }
    const timer = setTimeout(() => {
      // One turn of the event loop, for the answer may be waiting behind our own work.
      setImmediate(() => answered || this.#session.destroy())
    }, this.#pingTimeoutMs).unref()
    let answered = false
    const sent = this.#session.ping(() => {
      answered = true
      clearTimeout(timer)
    })
    if (!sent) clearTimeout(timer)
  }
}

function responseOf(head: IncomingHttpHeaders & { ':status'?: number }, body: BodyReader): HttpResponse {
  return {
    status: head[':status'] ?? 0,
    contentType: head['content-type'] ?? '',
    retryAfterMs: parseRetryAfter(head['retry-after']),
    etag: head.etag,
    body: body.read(),
  }
}

function attempt(work: () => void, onError: (error: unknown) => void): void {
  try {
    work()
  } catch (error) {
    onError(error)
  }
}
