import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { temporaryDirectory } from '@setpoint/testkit'

/** A real API server, seen through a proxy that answers badly when a test wants it to. */
export interface FaultyApi extends AsyncDisposable {
  kubeconfig: string
  /** Every second request is answered with 429 from now on; false ends it. */
  overload(on: boolean): void
  /** The answer to the next list whose URL matches breaks off in the middle; resolves when that has happened. */
  breakNextList(url: RegExp): Promise<void>
  /** The answer to the next request whose URL matches is kept back, once it is there, until it is released. */
  holdNext(url: RegExp): { held: Promise<void>; release(): void }
  /** The next request of this method whose URL matches is kept on its way until it is released, even if its sender ends; then it tells the status of the answer. */
  delayNext(method: string, url: RegExp): { delayed: Promise<void>; release(): Promise<number> }
  /** Some watch has told of something whose JSON has this text. */
  watchTold(text: string): Promise<void>
  /** How many requests were refused so far. */
  refused(): number
}

export async function startFaultyApi(kubeconfig: string): Promise<FaultyApi> {
  const directory = await temporaryDirectory('faulty-api')
  const text = await readFile(kubeconfig, 'utf8')
  const upstream = new URL(/server: (\S+)/.exec(text)?.[1] ?? '')
  const agent = new Agent({ ...credentialsOf(text), keepAlive: true })
  let overloaded = false
  let seen = 0
  let refused = 0
  let broken: { url: RegExp; done: () => void } | undefined
  let holding: (Hold & { url: RegExp }) | undefined
  let delaying: (Delay & { method: string; url: RegExp }) | undefined
  const listeners = new Set<(chunk: string) => void>()
  const server = createServer((incoming, response) => {
    seen += 1
    if (overloaded && seen % 2 === 0) {
      refused += 1
      const body = {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        reason: 'TooManyRequests',
        code: 429,
      }
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '1' })
      return void response.end(JSON.stringify({ ...body, message: 'try again later' }))
    }
    const fault = broken !== undefined && isList(incoming, broken.url) ? broken : undefined
    if (fault !== undefined) broken = undefined
    const hold = holding?.url.test(incoming.url ?? '') ? holding : undefined
    if (hold !== undefined) holding = undefined
    const delay =
      delaying?.method === incoming.method && delaying?.url.test(incoming.url ?? '') ? delaying : undefined
    if (delay !== undefined) {
      delaying = undefined
      return void deliverLate(incoming, { upstream, agent, ...delay })
    }
    const onChunk = (chunk: Buffer) => {
      for (const listener of isWatch(incoming) ? listeners : []) listener(chunk.toString())
    }
    forward(incoming, response, { upstream, agent, onHalf: fault?.done, hold, onChunk })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const path = join(directory.path, 'kubeconfig')
  await writeFile(path, kubeconfigOf(url))
  return {
    kubeconfig: path,
    overload(on) {
      overloaded = on
    },
    breakNextList: (pattern) =>
      new Promise((done) => {
        broken = { url: pattern, done }
      }),
    holdNext(pattern) {
      const [held, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      holding = { url: pattern, reached: held.resolve, released: released.promise }
      return { held: held.promise, release: released.resolve }
    },
    delayNext(method, url) {
      const [delayed, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const answered = Promise.withResolvers<number>()
      const reached = delayed.resolve
      delaying = { method, url, reached, released: released.promise, answered: answered.resolve }
      return {
        delayed: delayed.promise,
        release() {
          released.resolve()
          return answered.promise
        },
      }
    },
    watchTold: (text) =>
      new Promise((done) => {
        const listener = (chunk: string) => {
          if (!chunk.includes(text)) return
          listeners.delete(listener)
          done()
        }
        listeners.add(listener)
      }),
    refused: () => refused,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      agent.destroy()
      await directory[Symbol.asyncDispose]()
    },
  }
}

function isList({ method, url = '' }: IncomingMessage, pattern: RegExp): boolean {
  return method === 'GET' && pattern.test(url) && !url.includes('watch=')
}

function isWatch({ method, url = '' }: IncomingMessage): boolean {
  return method === 'GET' && url.includes('watch=')
}

interface Hold {
  reached(): void
  released: Promise<void>
}

interface Delay extends Hold {
  answered(status: number): void
}

interface Route {
  upstream: URL
  agent: Agent
  onHalf: (() => void) | undefined
  hold: Hold | undefined
  onChunk(chunk: Buffer): void
}

function forward(
  incoming: IncomingMessage,
  response: ServerResponse,
  { upstream, agent, onHalf, hold, onChunk }: Route,
): void {
  const { method = 'GET', url = '/', headers } = incoming
  const options = {
    method,
    agent,
    headers: { ...headers, host: upstream.host, 'accept-encoding': 'identity' },
  }
  const outgoing = request(new URL(url, upstream), options, async (answer) => {
    hold?.reached()
    await hold?.released
    const { 'content-length': _length, ...rest } = answer.headers
    response.writeHead(answer.statusCode ?? 502, onHalf === undefined ? answer.headers : rest)
    // A quiet watch is open before its first line.
    response.flushHeaders()
    if (onHalf === undefined) return void answer.on('data', onChunk).pipe(response)
    answer.once('data', (chunk: Buffer) => {
      response.write(chunk.subarray(0, Math.floor(chunk.length / 2)), () => {
        response.destroy()
        onHalf()
      })
    })
  })
  outgoing.on('error', () => response.destroy())
  response.on('close', () => outgoing.destroy())
  incoming.pipe(outgoing)
}

/** As a network does that has lost its way for a while: nobody waits for the answer any more. */
async function deliverLate(
  incoming: IncomingMessage,
  { upstream, agent, reached, released, answered }: Delay & Pick<Route, 'upstream' | 'agent'>,
): Promise<void> {
  const { method = '', url = '', headers } = incoming
  const body = Buffer.concat(await incoming.toArray())
  reached()
  await released
  const outgoing = request(new URL(url, upstream), {
    method,
    agent,
    headers: { ...headers, host: upstream.host },
  })
  outgoing.on('response', (answer) => {
    answer.resume()
    answered(answer.statusCode ?? 0)
  })
  outgoing.on('error', () => undefined)
  outgoing.end(body)
}

function credentialsOf(kubeconfig: string): { ca: Buffer; cert: Buffer; key: Buffer } {
  const field = (name: string) =>
    Buffer.from(new RegExp(`${name}: >?-?\\s*(\\S+)`).exec(kubeconfig)?.[1] ?? '', 'base64')
  return {
    ca: field('certificate-authority-data'),
    cert: field('client-certificate-data'),
    key: field('client-key-data'),
  }
}

function kubeconfigOf(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'faulty', cluster: { server } }],
    users: [{ name: 'faulty', user: {} }],
    contexts: [{ name: 'faulty', context: { cluster: 'faulty', user: 'faulty' } }],
    'current-context': 'faulty',
  })
}
