import { describeFailure, HttpAgents, type ServerAccess } from '@setpoint/http-agents'
import { isLinkLocal, refusal } from '@setpoint/link-local'
import { request } from 'undici'
import type { CallOptions } from './access.ts'
import { BucketError } from './errors.ts'

export interface HttpAnswer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

const MAX_AGENTS = 100
const CONNECTIONS_PER_HOST = 16

/** Sends requests: one set of connections for each way to reach servers. */
export class Transport {
  private readonly agents: HttpAgents
  private readonly allowLinkLocal: boolean

  constructor(allowLinkLocal: boolean) {
    this.allowLinkLocal = allowLinkLocal
    this.agents = new HttpAgents({
      maxAgents: MAX_AGENTS,
      connectionsPerHost: CONNECTIONS_PER_HOST,
      allowLinkLocal,
    })
  }

  /** @throws BucketError for everything that is no answer */
  get(
    access: ServerAccess,
    url: URL,
    headers: Record<string, string>,
    call: CallOptions & { maxBytes: number },
  ): Promise<HttpAnswer> {
    return this.send(access, url, { method: 'GET', headers }, call)
  }

  /** @throws BucketError for everything that is no answer */
  async send(
    access: ServerAccess,
    url: URL,
    {
      method,
      headers,
      body: sent,
    }: { method: 'GET' | 'POST'; headers: Record<string, string>; body?: string },
    { maxBytes, signal, timeoutMs }: CallOptions & { maxBytes: number },
  ): Promise<HttpAnswer> {
    if (!this.allowLinkLocal && isLinkLocal(url.hostname))
      throw new BucketError('InvalidEndpoint', refusal(url.hostname))
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    try {
      const answer = await request(url, {
        method,
        headers: { 'user-agent': 'setpoint', ...headers },
        ...(sent === undefined ? {} : { body: sent }),
        dispatcher: this.agents.of(access),
        signal: bounded,
      })
      const body = await readBody(answer.body, url.host, maxBytes)
      return { status: answer.statusCode, headers: answer.headers, body }
    } catch (cause) {
      if (cause instanceof BucketError) throw cause
      if (bounded.aborted) throw new BucketError('Timeout', `${url.host} did not answer in time`, { cause })
      throw new BucketError('Unreachable', `${url.host} cannot be reached: ${describeFailure(cause)}`, {
        cause,
      })
    }
  }

  close(): Promise<void> {
    return this.agents.close()
  }
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
