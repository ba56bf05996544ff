import { once } from 'node:events'
import {
  constants,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { startTcpProxy, waitFor } from '@setpoint/testkit'
import { expect, test } from 'vitest'
import { KubeUnreachableError } from './errors.ts'
import { Http2Session } from './http2-session.ts'
import { Http2Transport } from './http2-transport.ts'
import { Limiter } from './limiter.ts'
import { Requester } from './requester.ts'

// What a Kubernetes API server does only by chance or under load (GOAWAY, refused streams, silence) is provoked here
// with a bare HTTP/2 server. Everything else is tested against the real one.

test('a request that the server refused to start is sent again, even one that must not be done twice', async () => {
  let refusals = 2
  await using server = await startServer((stream) => {
    if (refusals-- > 0) stream.close(constants.NGHTTP2_REFUSED_STREAM)
    else answer(stream, '{"done":true}')
  })
  const response = await server.requester.send({ method: 'POST', path: '/x', body: {} })
  expect(response.body.toString()).toBe('{"done":true}')
})

test('a request on a connection that the server takes out of use goes to a new one', async () => {
  await using server = await startServer((stream) => answer(stream, '{}'))
  const send = () => server.requester.send({ method: 'POST', path: '/x', body: {} })
  await send()
  for (const session of server.sessions) session.goaway()
  // Some of them may be on their way before the client has read that.
  const responses = await Promise.all(Array.from({ length: 20 }, send))
  expect(responses).toHaveLength(20)
  await waitFor('the client has read it', async () => {
    await send()
    return server.connections === 2
  })
  await send()
  expect(server.connections).toBe(2)
})

test('a read that loses its connection is sent again, a create is not', async () => {
  let breaks = 2
  await using server = await startServer((stream) => {
    if (breaks-- > 0) stream.session?.destroy()
    else answer(stream, '{}')
  })
  await expect(server.requester.send({ method: 'POST', path: '/x', body: {} })).rejects.toThrow(
    KubeUnreachableError,
  )
  expect((await server.requester.send({ method: 'GET', path: '/x' })).status).toBe(200)
})

test('an answer that breaks off in the middle is never taken for a whole one', async () => {
  await using server = await startServer((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' })
    // What was sent before it has arrived when a ping is answered.
    stream.write('{"half":', () => stream.session?.ping(() => stream.session?.destroy()))
  })
  await expect(server.requester.send({ method: 'GET', path: '/x' })).rejects.toThrow(KubeUnreachableError)
})

test('a watch on a connection that has gone silent ends with an error', async () => {
  await using server = await startServer((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' })
    stream.write('first\n')
  })
  const lines: string[] = []
  const watch = server.requester.stream({
    path: '/watch',
    signal: new AbortController().signal,
    onLine: (line) => {
      lines.push(line)
      server.proxy.freeze()
    },
  })
  await expect(watch).rejects.toThrow('the connection broke')
  expect(lines).toEqual(['first'])
})

test('requests beyond the bound of the queue are refused at once', async () => {
  await using server = await startServer(() => undefined, { concurrent: 1, waiting: 1 })
  const stop = new AbortController()
  const send = () => server.requester.send({ method: 'GET', path: '/x', signal: stop.signal })
  const first = send()
  const second = send()
  await expect(send()).rejects.toThrow('1 requests already wait for the API server')
  stop.abort(new Error('stopped'))
  await expect(first).rejects.toThrow('stopped')
  await expect(second).rejects.toThrow('stopped')
})

function answer(stream: ServerHttp2Stream, body: string): void {
  stream.respond({ ':status': 200, 'content-type': 'application/json' })
  stream.end(body)
}

async function startServer(
  onStream: (stream: ServerHttp2Stream) => void,
  limits = { concurrent: 64, waiting: 100 },
) {
  const sessions = new Set<ServerHttp2Session>()
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('stream', (stream) => {
    stream.on('error', () => undefined)
    onStream(stream)
  })
  server.on('session', (session) => sessions.add(session))
  server.on('connection', (socket: Socket) => sockets.add(socket))
  const url = await listen(server)
  const proxy = await startTcpProxy(Number(new URL(url).port))
  const open = async () => {
    const socket = connect(proxy.port, '127.0.0.1')
    await once(socket, 'connect')
    return new Http2Session(url, socket, { intervalMs: 50, timeoutMs: 50 })
  }
  const transport = new Http2Transport(open, () => undefined)
  const endpoint = {
    server: url,
    skipTlsVerify: false,
    authentication: { kind: 'none' as const },
    impersonation: {},
  }
  const credentials = { headers: async () => ({}), certificate: async () => undefined, expire: () => false }
  const requester = new Requester({
    endpoint,
    credentials,
    transport,
    limiter: new Limiter(limits),
    options: {},
  })
  return {
    requester,
    sessions,
    proxy,
    get connections() {
      return sockets.size
    },
    async [Symbol.asyncDispose]() {
      transport.close()
      await proxy[Symbol.asyncDispose]()
      server.close()
    },
  }
}

async function listen(server: Http2Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
