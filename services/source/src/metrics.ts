import type { Metrics } from '@setpoint/service'

/** What this service measures of its own. */
export interface SourceMetrics {
  reconciled(key: { namespace: string; name: string }, durationMs: number): void
  failed(): void
  /** extent: `full` when everything was downloaded, `new` when only what was new. */
  fetched(extent: 'full' | 'new', bytes: number): void
  listed(): void
}

export function sourceMetrics(metrics: Metrics): SourceMetrics {
  const fetches = metrics.counter('setpoint_source_fetches_total', 'Git fetches, by extent.', ['extent'])
  const bytes = metrics.counter('setpoint_source_fetched_bytes_total', 'Bytes received by Git fetches.')
  const listings = metrics.counter(
    'setpoint_source_listings_total',
    'Requests for the references of a repository.',
  )
  return {
    reconciled: ({ namespace, name }, durationMs) =>
      metrics.reconcileDuration.observe({ kind: 'GitRepository', name, namespace }, durationMs / 1000),
    failed: () => metrics.reconcileErrors.inc({ controller: 'gitrepository' }),
    fetched: (extent, received) => {
      fetches.inc({ extent })
      bytes.inc(received)
    },
    listed: () => listings.inc(),
  }
}
