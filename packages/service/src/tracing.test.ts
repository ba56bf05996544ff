import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { startTracing } from './tracing.ts'

const TRACE_ID = '0123456789abcdef0123456789abcdef'
const who = { service: 'apply', instance: 'a-1', onError: (error: unknown) => expect.fail(String(error)) }
/** The library takes a number that is less than the age of the process for a time since its start. */
const startMs = Date.UTC(2026, 0, 1)
const step = { traceId: TRACE_ID, startMs, endMs: startMs + 250, attributes: { 'k8s.object.name': 'apps' } }

test('a finished step reaches the collector under the trace id of its commit', async () => {
  const { promise: received, resolve } = Promise.withResolvers<{ path: string; body: Buffer }>()
  await using collector = await startCollector((path, body) => resolve({ path, body }))
  const tracing = await startTracing({ endpoint: collector.url, ...who })
  tracing.record({ name: 'apply', ...step, problem: 'refused' })
  await tracing.stop()
  const { path, body } = await received
  const { resourceSpans } = JSON.parse(body.toString('utf8'))
  const [span] = resourceSpans[0].scopeSpans[0].spans
  expect(path).toBe('/v1/traces')
  expect(JSON.stringify(resourceSpans[0].resource)).toContain('"apply"')
  expect(span).toMatchObject({ name: 'apply', traceId: TRACE_ID, status: { code: 2, message: 'refused' } })
  expect(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)).toBe(250_000_000n)
})

test('a collector that is away is told once at the end and holds nobody up', async () => {
  const errors: unknown[] = []
  const tracing = await startTracing({
    endpoint: 'http://127.0.0.1:9',
    ...who,
    onError: (error) => errors.push(error),
  })
  tracing.record({ name: 'apply', ...step })
  await tracing.stop()
  expect(String(errors[0])).toContain('ECONNREFUSED')
})

async function startCollector(onExport: (path: string, body: Buffer) => void) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    onExport(request.url ?? '', Buffer.concat(chunks))
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}
