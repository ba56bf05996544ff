import { createHash } from 'node:crypto'
import type { LookupFunction } from 'node:net'
import { guardedLookup, isLinkLocal, refusal } from '@setpoint/link-local'
import { Agent, type Dispatcher, ProxyAgent, request } from 'undici'
import type { BucketAccess, CallOptions } from './access.ts'
import { BucketError } from './errors.ts'

export interface HttpAnswer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

const MAX_AGENTS = 100
const CONNECTIONS_PER_HOST = 16
const CONNECT_TIMEOUT_MS = 15_000

/** Sends requests: one set of connections for each way to reach servers. */
export class Transport {
  private readonly agents = new Map<string, Dispatcher>()
  private readonly allowLinkLocal: boolean

  constructor(allowLinkLocal: boolean) {
    this.allowLinkLocal = allowLinkLocal
  }

  /** @throws BucketError for everything that is no answer */
  async get(
    access: BucketAccess,
    url: URL,
    headers: Record<string, string>,
    { maxBytes, signal, timeoutMs }: CallOptions & { maxBytes: number },
  ): Promise<HttpAnswer> {
    if (!this.allowLinkLocal && isLinkLocal(url.hostname))
      throw new BucketError('InvalidEndpoint', refusal(url.hostname))
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    try {
      const answer = await request(url, {
        method: 'GET',
        headers: { 'user-agent': 'setpoint', ...headers },
        dispatcher: this.agentOf(access),
        signal: bounded,
      })
      const body = await readBody(answer.body, url.host, maxBytes)
      return { status: answer.statusCode, headers: answer.headers, body }
    } catch (cause) {
      if (cause instanceof BucketError) throw cause
      if (bounded.aborted) throw new BucketError('Timeout', `${url.host} did not answer in time`, { cause })
      throw new BucketError('Unreachable', `${url.host} cannot be reached: ${describe(cause)}`, { cause })
    }
  }

  async close(): Promise<void> {
    const agents = [...this.agents.values()]
    this.agents.clear()
    await Promise.all(agents.map((agent) => agent.destroy()))
  }

  private agentOf(access: BucketAccess): Dispatcher {
    const { caPem, client, proxy } = access
    const key = createHash('sha256')
      .update(JSON.stringify([caPem, client, proxy]))
      .digest('hex')
    const found = this.agents.get(key)
    if (found !== undefined) return found
    const [oldest] = this.agents
    if (oldest !== undefined && this.agents.size >= MAX_AGENTS) {
      this.agents.delete(oldest[0])
      void oldest[1].close().catch(() => undefined)
    }
    const agent = makeAgent(access, this.allowLinkLocal ? {} : { lookup: guardedLookup })
    this.agents.set(key, agent)
    return agent
  }
}

function makeAgent({ caPem, client, proxy }: BucketAccess, guard: { lookup?: LookupFunction }): Dispatcher {
  const tls = {
    timeout: CONNECT_TIMEOUT_MS,
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(client === undefined ? {} : { cert: client.certPem, key: client.keyPem }),
  }
  const connections = CONNECTIONS_PER_HOST
  if (proxy === undefined) return new Agent({ connections, connect: { ...guard, ...tls } })
  const { url, username, password = '' } = proxy
  const token = username && `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  return new ProxyAgent({ uri: url, connections, requestTls: tls, ...(token ? { token } : {}) })
}

async function readBody(body: AsyncIterable<Uint8Array>, host: string, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let received = 0
  for await (const chunk of body) {
    received += chunk.length
    if (received > maxBytes)
      throw new BucketError('TooLarge', `${host} sends more than the limit of ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
  return cause instanceof AggregateError || cause.message === ''
    ? (code ?? 'no address answers')
    : cause.message
}
