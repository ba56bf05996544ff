import { type Attributes, ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'

/** One finished step of a commit's way into the cluster. */
export interface FinishedSpan {
  /** Such as `source.fetch`, `kustomize-render.build`, `apply`. */
  name: string
  /** 32 hex digits: the same for everything that is done because of one commit. */
  traceId: string
  /** Milliseconds since the epoch. */
  startMs: number
  endMs: number
  /** Names and counts; never a value of a Secret or a variable. */
  attributes: Attributes
  /** Why it failed, for people. */
  problem?: string
}

/** Hands finished spans to a collector. Sending delays nobody, and a collector that is away costs the spans only. */
export interface Tracing {
  record(span: FinishedSpan): void
  /** Sends what waits, within the time that it takes at most. */
  stop(): Promise<void>
}

export interface TracingOptions {
  /** Base URL of an OTLP collector over HTTP, such as `http://collector:4318`. */
  endpoint: string
  service: string
  instance: string
  /** Spans could not be sent. */
  onError(error: unknown): void
}

export const noTracing: Tracing = { record: () => undefined, stop: async () => undefined }

const SEND_TIMEOUT_MS = 5_000

/** Spans to an OTLP collector. The library is loaded only here: it costs memory that nobody pays without a collector. */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { endpoint, service, instance } = options
  const { BatchSpanProcessor, TracerProvider } = await import('@opentelemetry/sdk-trace')
  const { resourceFromAttributes } = await import('@opentelemetry/resources')
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http')
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: SEND_TIMEOUT_MS })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.namespace': 'setpoint',
      'service.name': service,
      'service.instance.id': instance,
    }),
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: SEND_TIMEOUT_MS })],
  })
  const tracer = provider.getTracer('setpoint')
  return {
    record({ name, traceId, startMs, endMs, attributes, problem }) {
      const options = { startTime: startMs, attributes }
      const span = tracer.startSpan(name, options, parentOf(traceId))
      if (problem !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: problem })
      span.end(endMs)
    },
    stop: () => provider.shutdown().catch(options.onError),
  }
}

/** Every step hangs below the commit, whose span id is the first half of the trace id. */
function parentOf(traceId: string) {
  const spanId = traceId.slice(0, 16)
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  })
}
