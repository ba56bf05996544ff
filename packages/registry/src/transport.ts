import { describeFailure, HttpAgents } from '@setpoint/http-agents'
import { isLinkLocal, refusal } from '@setpoint/link-local'
import { request } from 'undici'
import type { RegistryAccess } from './access.ts'
import { RegistryError } from './errors.ts'
import type { HostLimiter } from './host-limiter.ts'

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
/** What a registry that says 429 without Retry-After is spared. */
const DEFAULT_BLOCK_MS = 5_000
const MAX_BLOCK_MS = 3_600_000

/** Sends requests: one set of connections for each way to reach registries, and a limited rate for each host. */
export class Transport {
  private readonly limiter: HostLimiter
  private readonly now: () => number
  private readonly agents: HttpAgents
  private readonly allowLinkLocal: boolean

  constructor(limiter: HostLimiter, now: () => number, allowLinkLocal: boolean) {
    this.allowLinkLocal = allowLinkLocal
    this.agents = new HttpAgents({
      maxAgents: MAX_AGENTS,
      connectionsPerHost: CONNECTIONS_PER_HOST,
      allowLinkLocal,
    })
    this.limiter = limiter
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
        dispatcher: this.agents.of(access),
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

  close(): Promise<void> {
    return this.agents.close()
  }

  private tooMany(host: string, header: string | string[] | undefined): RegistryError {
    const retryAfterMs = Math.min(readRetryAfter(header, this.now()) ?? DEFAULT_BLOCK_MS, MAX_BLOCK_MS)
    this.limiter.block(host, retryAfterMs)
    return new RegistryError('TooManyRequests', `${host} asked for fewer requests (HTTP 429)`, {
      retryAfterMs,
    })
  }
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
  return new RegistryError('Unreachable', `${host} cannot be reached: ${describeFailure(cause)}`, { cause })
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}
