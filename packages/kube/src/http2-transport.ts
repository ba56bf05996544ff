import type { Deadline } from './deadline.ts'
import type { Http2Session } from './http2-session.ts'
import {
  ConnectionError,
  type HttpRequest,
  type HttpResponse,
  type HttpStreamHandlers,
  type Transport,
} from './transport.ts'

/** Streams left free on a connection for watches, for the server's limit may shrink. */
const spareStreams = 5

/** All requests on one HTTP/2 connection, all watches on others, made when needed and again when they break. */
export class Http2Transport implements Transport {
  readonly #requests: SessionSet
  readonly #watches: SessionSet

  /**
   * @param open makes a connection
   * @param onLimit told how many requests the server allows at once
   */
  constructor(open: () => Promise<Http2Session>, onLimit: (limit: number) => void) {
    this.#requests = new SessionSet(
      async () => (await open()).onMaxStreams(onLimit),
      () => true,
    )
    this.#watches = new SessionSet(open, (session) => session.streams < session.maxStreams - spareStreams)
  }

  send(request: HttpRequest, deadline: Deadline): Promise<HttpResponse> {
    return this.#requests.use(deadline, (session) => session.send(request, deadline))
  }

  stream(
    request: HttpRequest,
    deadline: Deadline,
    signal: AbortSignal,
    handlers: HttpStreamHandlers,
  ): Promise<void> {
    return this.#watches.use(deadline, (session) => session.stream(request, deadline, signal, handlers))
  }

  close(): void {
    this.#requests.close()
    this.#watches.close()
  }
}

/** Sessions of one purpose; a further one is opened when none has room. */
class SessionSet {
  readonly #open: () => Promise<Http2Session>
  readonly #hasRoom: (session: Http2Session) => boolean
  #sessions: Http2Session[] = []
  #opening: Promise<void> | undefined
  #closed = false

  constructor(open: () => Promise<Http2Session>, hasRoom: (session: Http2Session) => boolean) {
    this.#open = open
    this.#hasRoom = hasRoom
  }

  /** Gives the work a session with room. Callers that come at the same time share one new connection. */
  async use<T>(deadline: Deadline, work: (session: Http2Session) => Promise<T>): Promise<T> {
    for (;;) {
      const session = this.#sessions.find((known) => known.usable && this.#hasRoom(known))
      // The stream is opened in this same turn, before the next caller looks for room.
      if (session) return work(session)
      this.#opening ??= this.#add().finally(() => {
        this.#opening = undefined
      })
      await deadline.race(this.#opening)
    }
  }

  close(): void {
    this.#closed = true
    for (const session of this.#sessions) session.close()
    this.#sessions = []
  }

  async #add(): Promise<void> {
    if (this.#closed) throw closedError()
    const session = await this.#open()
    if (this.#closed) {
      session.close()
      throw closedError()
    }
    this.#sessions = [...this.#sessions.filter((known) => known.usable || known.streams > 0), session]
  }
}

function closedError(): ConnectionError {
  return new ConnectionError('the client is closed', { processed: 'no', connected: false })
}
