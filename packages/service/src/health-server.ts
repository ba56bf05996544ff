import Fastify, { type FastifyInstance } from 'fastify'
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

/** Serves /healthz, /readyz and /metrics. 200 when well, 503 with the reason in one line when not. */
export async function startHealthServer(options: HealthOptions): Promise<FastifyInstance> {
  const server = Fastify({ logger: false, forceCloseConnections: true })
  const answer = (problem: string | undefined) =>
    problem === undefined ? { code: 200, body: 'ok\n' } : { code: 503, body: `${problem}\n` }
  server.get('/healthz', async (_request, reply) => {
    const { code, body } = answer(options.livenessProblem())
    return reply.code(code).type('text/plain').send(body)
  })
  server.get('/readyz', async (_request, reply) => {
    const { code, body } = answer(options.readinessProblem())
    return reply.code(code).type('text/plain').send(body)
  })
  server.get('/metrics', async (_request, reply) =>
    reply.type(options.metrics.registry.contentType).send(await options.metrics.registry.metrics()),
  )
  await server.listen({ host: options.host, port: options.port })
  return server
}
