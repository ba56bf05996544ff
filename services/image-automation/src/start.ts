import { CloudLogins, GitLogins, RegistryLogins } from '@setpoint/cloud'
import { IMAGE_POLICY, IMAGE_REPOSITORY, IMAGE_UPDATE_AUTOMATION } from '@setpoint/contracts'
import { DEFAULT_PACK_LIMITS, GitHubApps } from '@setpoint/git'
import { RegistryClient } from '@setpoint/registry'
import type { RunningService, ServiceContext } from '@setpoint/service'
import { Announcer } from './announcer.ts'
import type { settings } from './config.ts'
import { ImageAutomation } from './image-automation.ts'
import { imageMetrics } from './metrics.ts'
import { KnownTags } from './scan/known-tags.ts'
import { Mirrors } from './update/mirrors.ts'

/** Starts the service: lists what is there, then works on every change, hint and timer. */
export async function startImageAutomation(
  service: ServiceContext<typeof settings>,
): Promise<RunningService> {
  const { config, bus, events, kube, log, now, membership } = service
  const perSecond = config['registry-requests-per-second']
  const clouds = new CloudLogins({ kube, now, objectLevel: config['object-level-workload-identity'] })
  const automation = new ImageAutomation({
    kube,
    bus,
    events,
    log,
    announcer: new Announcer(bus, log),
    now,
    membership,
    ...(service.beforeWrite === undefined ? {} : { beforeWrite: service.beforeWrite }),
    metrics: imageMetrics(service.metrics),
    registry: new RegistryClient({
      now,
      limits: { perSecond, burst: perSecond * 2 },
      allowLinkLocal: config['allow-link-local'],
    }),
    registryLogins: new RegistryLogins(clouds, now),
    mirrors: new Mirrors(config['storage-path']),
    tags: new KnownTags(),
    allowCrossNamespace: !config['no-cross-namespace-refs'],
    gitLimits: {
      maxBytes: config['max-fetch-bytes'],
      packLimits: DEFAULT_PACK_LIMITS,
      allowLinkLocal: config['allow-link-local'],
    },
    githubApps: new GitHubApps(now),
    gitLogins: new GitLogins(clouds, now),
    concurrentScans: config['concurrent-scans'],
    concurrentUpdates: config['concurrent-updates'],
    gatherMs: config['gather-milliseconds'],
    labelSelector: config['watch-label-selector'],
  })
  const stops = [IMAGE_REPOSITORY, IMAGE_POLICY, IMAGE_UPDATE_AUTOMATION].map(({ kind }) =>
    bus.onHint(kind, ({ namespace, name }, _hint, traceId) =>
      automation.checkNow(kind, `${namespace}/${name}`, traceId),
    ),
  )
  void automation.begin()
  return {
    queues: automation.queues,
    problem: () => automation.problem(),
    stop: async (graceMs) => {
      for (const stop of stops) stop()
      await automation.stop(graceMs)
    },
  }
}
