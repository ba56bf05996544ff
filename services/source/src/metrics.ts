import type { Metrics } from '@setpoint/service'

/** What this service measures of its own, of one kind of source. */
export interface SourceMetrics {
  reconciled(key: { namespace: string; name: string }, durationMs: number): void
  failed(): void
  /** extent: `full` when everything was downloaded, `new` when only what was new. */
  fetched(extent: 'full' | 'new', bytes: number): void
  listed(): void
}

export function sourceMetrics(metrics: Metrics): (kind: string) => SourceMetrics {
  const fetches = metrics.counter('setpoint_source_fetches_total', 'Fetches, by kind and extent.', [
    'kind',
    'extent',
  ])
  const bytes = metrics.counter('setpoint_source_fetched_bytes_total', 'Bytes received by fetches.', ['kind'])
  const listings = metrics.counter(
    'setpoint_source_listings_total',
    'Requests for the references of a repository.',
    ['kind'],
  )
  return (kind) => ({
    reconciled: ({ namespace, name }, durationMs) =>
      metrics.reconcileDuration.observe({ kind, name, namespace }, durationMs / 1000),
    failed: () => metrics.reconcileErrors.inc({ controller: kind.toLowerCase() }),
    fetched: (extent, received) => {
      fetches.inc({ kind, extent })
      bytes.inc({ kind }, received)
    },
    listed: () => listings.inc({ kind }),
  })
}
