import type { Metrics } from '@setpoint/service'

/** What this service measures of its own. Milliseconds in, seconds out. */
export interface ApplyMetrics {
  reconciled(key: { namespace: string; name: string }, durationMs: number): void
  failed(): void
  committedToReady(durationMs: number): void
  requested(verb: string): void
  healed(objects: number): void
  /** A run was aborted at its deadline. */
  killed(): void
}

export function applyMetrics(metrics: Metrics): ApplyMetrics {
  const commitToReady = metrics.histogram(
    'setpoint_commit_to_ready_seconds',
    'Seconds from the rendered set being announced to Ready.',
    [],
    [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300],
  )
  const requests = metrics.counter('setpoint_api_requests_total', 'Requests to the API server, by verb.', [
    'verb',
  ])
  const healed = metrics.counter(
    'setpoint_drift_healed_total',
    'Objects that were brought back after an edit or a deletion.',
  )
  const killed = metrics.counter('setpoint_runs_killed_total', 'Runs that were aborted at their deadline.')
  return {
    reconciled: ({ namespace, name }, durationMs) =>
      metrics.reconcileDuration.observe({ kind: 'Kustomization', name, namespace }, durationMs / 1000),
    failed: () => metrics.reconcileErrors.inc({ controller: 'kustomization' }),
    committedToReady: (durationMs) => commitToReady.observe(durationMs / 1000),
    requested: (verb) => requests.inc({ verb }),
    healed: (objects) => healed.inc(objects),
    killed: () => killed.inc(),
  }
}
