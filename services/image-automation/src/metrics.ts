import type { Metrics } from '@setpoint/service'

/** What this service measures of its own. */
export interface ImageMetrics {
  reconciled(kind: string, key: string, durationMs: number): void
  failed(kind: string): void
  scanned(tags: number): void
  pushed(): void
  rejected(): void
  contested(): void
}

export function imageMetrics(metrics: Metrics): ImageMetrics {
  const scans = metrics.counter('setpoint_image_scans_total', 'Scans of image repositories that worked.')
  const tags = metrics.counter('setpoint_image_scanned_tags_total', 'Tags that scans have listed.')
  const pushes = metrics.counter('setpoint_image_commits_total', 'Commits that were pushed.')
  const rejections = metrics.counter(
    'setpoint_image_push_rejections_total',
    'Pushes that came second and were planned again.',
  )
  const contests = metrics.counter(
    'setpoint_image_contested_updates_total',
    'Updates that were not pushed again, because somebody takes them back.',
  )
  return {
    reconciled: (kind, key, durationMs) => {
      const [namespace = '', name = ''] = key.split('/')
      metrics.reconcileDuration.observe({ kind, name, namespace }, durationMs / 1000)
    },
    failed: (kind) => metrics.reconcileErrors.inc({ controller: kind.toLowerCase() }),
    scanned: (count) => {
      scans.inc()
      tags.inc(count)
    },
    pushed: () => pushes.inc(),
    rejected: () => rejections.inc(),
    contested: () => contests.inc(),
  }
}
