import type { Deadline } from './deadline.ts'

/** One HTTP exchange, as far as this package cares about HTTP. */
export interface HttpRequest {
  method: string
  /** Path and query. */
  target: string
  headers: Record<string, string>
  body?: Buffer | undefined
  /** Called in the very moment before the request goes out; what it throws is thrown instead. */
  beforeSend?: (() => void) | undefined
}

export interface HttpResponse {
  status: number
  contentType: string
  /** Value of Retry-After in ms; undefined when the server sent none. */
  retryAfterMs?: number | undefined
  etag?: string | undefined
  body: Buffer
}

export interface HttpStreamHandlers {
  /** The answer's head has come. */
  onHead(status: number, contentType: string): void
  onData(chunk: Buffer): void
}

/** Connections to one server. Fails with ConnectionError when a connection can't be made or breaks. */
export interface Transport {
  send(request: HttpRequest, deadline: Deadline): Promise<HttpResponse>
  /**
   * An answer without an end, on connections that `send` does not use. Settles when the answer ends.
   * @param deadline is for the answer's head only
   */
  stream(
    request: HttpRequest,
    deadline: Deadline,
    signal: AbortSignal,
    handlers: HttpStreamHandlers,
  ): Promise<void>
  close(): void
}

/** A connection could not be made or broke. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  /** Whether the server may have worked on the request. */
  readonly processed: 'no' | 'unknown'
  /** False when there was no connection at all, so that trying again at once is pointless. */
  readonly connected: boolean

  constructor(
    message: string,
    options: { processed: 'no' | 'unknown'; connected: boolean; cause?: unknown },
  ) {
    super(message, { cause: options.cause })
    this.processed = options.processed
    this.connected = options.connected
  }
}

/** No answer of an API server is larger; lists are read in pages. */
export const maxResponseBytes = 128 * 1024 * 1024

/** Collects an answer's body up to the bound. */
export class BodyReader {
  readonly #chunks: Buffer[] = []
  #size = 0

  /** False when the body is too large. */
  add(chunk: Buffer): boolean {
    this.#size += chunk.length
    if (this.#size > maxResponseBytes) return false
    this.#chunks.push(chunk)
    return true
  }

  read(): Buffer {
    const [first] = this.#chunks
    return this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks, this.#size)
  }
}

/** Retry-After in ms; only the form in seconds, which is the one that API servers send. */
export function parseRetryAfter(value: string | string[] | undefined): number | undefined {
  const seconds = Number(Array.isArray(value) ? value[0] : value)
  return value !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined
}
