import { createHash } from 'node:crypto'
import type { LookupFunction } from 'node:net'
import { guardedLookup, isLinkLocal, refusal } from '@setpoint/link-local'
import { Agent, type Dispatcher, ProxyAgent, request } from 'undici'
import type { RegistryAccess, RegistryProxy } from './access.ts'
import { RegistryError } from './errors.ts'
import { HostLimiter, type HostLimits } from './host-limiter.ts'

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST'
  url: URL
  headers: Record<string, string>
  body?: string
}

export interface HttpAnswer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

/** The bounds of one call: its signal, and the bytes that it may still receive. */
export interface Budget {
  signal: AbortSignal
  timeoutMs: number
  bytesLeft: number
  maxBytes: number
}

const MAX_AGENTS = 200
const CONNECTIONS_PER_HOST = 8
const CONNECT_TIMEOUT_MS = 15_000
/** What a registry that says 429 without Retry-After is spared. */
const DEFAULT_BLOCK_MS = 5_000
const MAX_BLOCK_MS = 3_600_000

/** Sends requests: one set of connections for each way to reach registries, and a limited rate for each host. */
export class Transport {
  private readonly limiter: HostLimiter
  private readonly now: () => number
  private readonly agents = new Map<string, Dispatcher>()

  private readonly allowLinkLocal: boolean

  constructor(limits: HostLimits, now: () => number, allowLinkLocal: boolean) {
    this.allowLinkLocal = allowLinkLocal
    this.limiter = new HostLimiter(limits, now)
    this.now = now
  }

  /** @throws RegistryError for everything that is no answer, and for 429. */
  async send(access: RegistryAccess, sent: HttpRequest, budget: Budget): Promise<HttpAnswer> {
    const { host, hostname } = sent.url
    try {
      if (!this.allowLinkLocal && isLinkLocal(hostname))
        throw new RegistryError('AddressRefused', refusal(hostname))
      await this.limiter.turn(host, budget.signal)
      const answer = await request(sent.url, {
        method: sent.method,
        headers: { 'user-agent': 'setpoint', ...sent.headers },
        dispatcher: this.agentOf(access),
        signal: budget.signal,
        ...(sent.body === undefined ? {} : { body: sent.body }),
      })
      const body = await readBody(answer.body, host, budget)
      if (answer.statusCode === 429) throw this.tooMany(host, answer.headers['retry-after'])
      return { status: answer.statusCode, headers: answer.headers, body }
    } catch (cause) {
      throw problem(cause, host, budget)
    }
  }

  async close(): Promise<void> {
    const agents = [...this.agents.values()]
    this.agents.clear()
    await Promise.all(agents.map((agent) => agent.destroy()))
  }

  private tooMany(host: string, header: string | string[] | undefined): RegistryError {
    const retryAfterMs = Math.min(readRetryAfter(header, this.now()) ?? DEFAULT_BLOCK_MS, MAX_BLOCK_MS)
    this.limiter.block(host, retryAfterMs)
    return new RegistryError('TooManyRequests', `${host} asked for fewer requests (HTTP 429)`, {
      retryAfterMs,
    })
  }

  private agentOf(access: RegistryAccess): Dispatcher {
    const { caPem, client, proxy } = access
    const key = createHash('sha256')
      .update(JSON.stringify([caPem, client, proxy]))
      .digest('hex')
    const found = this.agents.get(key)
    if (found !== undefined) return found
    this.dropOldest()
    const agent = makeAgent(access, this.allowLinkLocal ? {} : { lookup: guardedLookup })
    this.agents.set(key, agent)
    return agent
  }

  private dropOldest(): void {
    const [oldest] = this.agents
    if (oldest === undefined || this.agents.size < MAX_AGENTS) return
    this.agents.delete(oldest[0])
    void oldest[1].close().catch(() => undefined)
  }
}

function makeAgent({ caPem, client, proxy }: RegistryAccess, guard: { lookup?: LookupFunction }): Dispatcher {
  const tls = {
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(client === undefined ? {} : { cert: client.certPem, key: client.keyPem }),
  }
  const connections = CONNECTIONS_PER_HOST
  if (proxy === undefined)
    return new Agent({ connections, connect: { timeout: CONNECT_TIMEOUT_MS, ...guard, ...tls } })
  const token = proxyToken(proxy)
  return new ProxyAgent({
    uri: proxy.url,
    connections,
    requestTls: { timeout: CONNECT_TIMEOUT_MS, ...tls },
    ...(token === undefined ? {} : { token }),
  })
}

function proxyToken({ username, password = '' }: RegistryProxy): string | undefined {
  if (username === undefined || username === '') return undefined
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

async function readBody(body: AsyncIterable<Uint8Array>, host: string, budget: Budget): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) {
    budget.bytesLeft -= chunk.length
    if (budget.bytesLeft < 0)
      throw new RegistryError('TooLarge', `${host} sends more than the limit of ${budget.maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Seconds, or a date. */
function readRetryAfter(header: string | string[] | undefined, nowMs: number): number | undefined {
  const text = Array.isArray(header) ? header[0] : header
  if (text === undefined || text === '') return undefined
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs
  return Number.isFinite(ms) ? Math.max(ms, 0) : undefined
}

function problem(cause: unknown, host: string, { signal, timeoutMs }: Budget): RegistryError {
  if (cause instanceof RegistryError) return cause
  if (signal.aborted && isTimeout(signal.reason))
    return new RegistryError('Timeout', `${host} did not answer within ${timeoutMs / 1000} s`, { cause })
  if (signal.aborted) return new RegistryError('Timeout', `the call to ${host} was stopped`, { cause })
  return new RegistryError('Unreachable', `${host} cannot be reached: ${describe(cause)}`, { cause })
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
  if (cause instanceof AggregateError) return code ?? 'no address answers'
  return cause.message === '' ? (code ?? 'unknown') : cause.message
}
