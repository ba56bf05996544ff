import type { Metrics } from '@setpoint/service'

/** What this service counts. */
export function renderMetrics(metrics: Metrics) {
  return {
    duration: metrics.histogram(
      'setpoint_render_duration_seconds',
      'Seconds that one build took.',
      [],
      [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    ),
    renders: metrics.counter('setpoint_renders_total', 'Builds, by result.', ['result']),
    skipped: metrics.counter(
      'setpoint_render_skipped_total',
      'Builds that were not needed: nothing they read had changed.',
    ),
  }
}

export type RenderMetrics = ReturnType<typeof renderMetrics>
