import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Metrics } from './metrics.ts'

export interface HealthOptions {
  host: string
  port: number
  metrics: Metrics
  /** Why the process must be restarted, or undefined: its queues move. */
  livenessProblem(): string | undefined
  /** Why it cannot work right now, or undefined. */
  readinessProblem(): string | undefined
}

export interface HealthServer {
  address: AddressInfo
  close(): Promise<void>
}

/**
 * Serves /healthz, /readyz and /metrics. 200 when well, 503 with the reason in one line when not. For three pages a framework is
 * 5 MiB of each service too much.
 */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const pages = pagesOf(options)
  const server = createServer(({ method = '', url = '' }, response) => {
    const page = READS.has(method) ? pages.get(url.split('?')[0] ?? '') : undefined
    if (page === undefined) response.writeHead(404).end()
    else page(response).catch(() => response.destroy())
  })
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen({ host: options.host, port: options.port }, resolve)
  await listening
  return {
    address: server.address() as AddressInfo,
    close: async () => {
      const closed = new Promise((done) => server.close(done))
      server.closeAllConnections()
      await closed
    },
  }
}

type Page = (response: ServerResponse) => Promise<void>

const READS = new Set(['GET', 'HEAD'])

function pagesOf({ metrics: { registry }, livenessProblem, readinessProblem }: HealthOptions) {
  return new Map<string, Page>([
    ['/healthz', async (response) => answer(response, livenessProblem())],
    ['/readyz', async (response) => answer(response, readinessProblem())],
    [
      '/metrics',
      async (response) => {
        const text = await registry.metrics()
        response.writeHead(200, { 'content-type': registry.contentType }).end(text)
      },
    ],
  ])
}

function answer(response: ServerResponse, problem: string | undefined): void {
  const headers = { 'content-type': 'text/plain; charset=utf-8' }
  if (problem === undefined) response.writeHead(200, headers).end('ok\n')
  else response.writeHead(503, headers).end(`${problem}\n`)
}
