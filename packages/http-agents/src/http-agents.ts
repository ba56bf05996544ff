import { createHash } from 'node:crypto'
import type { LookupFunction } from 'node:net'
import { guardedLookup } from '@setpoint/link-local'
import { Agent, type Dispatcher, ProxyAgent } from 'undici'

/** How a server is reached. */
export interface ServerAccess {
  /** PEM certificates trusted instead of the system's. */
  caPem?: string | undefined
  /** PEM certificate and key that this client shows. */
  client?: { certPem: string; keyPem: string } | undefined
  proxy?: HttpProxy | undefined
}

export interface HttpProxy {
  /** `http://proxy.example.com:3128`. */
  url: string
  username?: string | undefined
  password?: string | undefined
}

export interface HttpAgentsOptions {
  /** Ways to reach servers that are kept open at once. */
  maxAgents: number
  connectionsPerHost: number
  /** Names may lead to link-local addresses. */
  allowLinkLocal: boolean
}

const CONNECT_TIMEOUT_MS = 15_000

/** One set of connections for each way to reach servers; the oldest goes when there are too many. */
export class HttpAgents {
  private readonly options: HttpAgentsOptions
  private readonly agents = new Map<string, Dispatcher>()

  constructor(options: HttpAgentsOptions) {
    this.options = options
  }

  of({ caPem, client, proxy }: ServerAccess): Dispatcher {
    const key = createHash('sha256')
      .update(JSON.stringify([caPem, client, proxy]))
      .digest('hex')
    const found = this.agents.get(key)
    if (found !== undefined) return found
    this.dropOldest()
    const agent = makeAgent({ caPem, client, proxy }, this.options)
    this.agents.set(key, agent)
    return agent
  }

  async close(): Promise<void> {
    const agents = [...this.agents.values()]
    this.agents.clear()
    await Promise.all(agents.map((agent) => agent.destroy()))
  }

  private dropOldest(): void {
    const [oldest] = this.agents
    if (oldest === undefined || this.agents.size < this.options.maxAgents) return
    this.agents.delete(oldest[0])
    // What is under way ends by itself; nobody is left to tell of a close that fails.
    void oldest[1].close().catch(() => undefined)
  }
}

function makeAgent(
  { caPem, client, proxy }: ServerAccess,
  { connectionsPerHost: connections, allowLinkLocal }: HttpAgentsOptions,
): Dispatcher {
  const guard: { lookup?: LookupFunction } = allowLinkLocal ? {} : { lookup: guardedLookup }
  const tls = {
    timeout: CONNECT_TIMEOUT_MS,
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(client === undefined ? {} : { cert: client.certPem, key: client.keyPem }),
  }
  if (proxy === undefined) return new Agent({ connections, connect: { ...guard, ...tls } })
  const token = proxyToken(proxy)
  return new ProxyAgent({
    uri: proxy.url,
    connections,
    requestTls: tls,
    ...(token === undefined ? {} : { token }),
  })
}

function proxyToken({ username, password = '' }: HttpProxy): string | undefined {
  if (username === undefined || username === '') return undefined
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
