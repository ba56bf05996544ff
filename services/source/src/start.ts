import { hostname } from 'node:os'
import { join } from 'node:path'
import { GIT_REPOSITORY } from '@setpoint/contracts'
import { DEFAULT_PACK_LIMITS, GitHubApps } from '@setpoint/git'
import type { RunningService, ServiceContext } from '@setpoint/service'
import { startArchiveServer } from './archive-server.ts'
import { ArchiveStore } from './archive-store.ts'
import type { settings } from './config.ts'
import type { Limits } from './context.ts'
import { Memory } from './known.ts'
import { sourceMetrics } from './metrics.ts'
import { restoreArchive } from './restore.ts'
import { Sourcer } from './sourcer.ts'
import { StateStore } from './state-store.ts'

type SourceConfig = ServiceContext<typeof settings>['config']

/** Starts the service: serves archives, lists what is there, then works on every change, hint and timer. */
export async function startSource(service: ServiceContext<typeof settings>): Promise<RunningService> {
  const { config, bus, events, kube, log, now, membership } = service
  const archives = archiveStore(config)
  const sourcer = new Sourcer({
    kube,
    bus,
    events,
    tracing: service.tracing,
    log,
    now,
    membership,
    archives,
    metrics: sourceMetrics(service.metrics),
    limits: limitsOf(config),
    hostRequestsPerSecond: config['host-requests-per-second'],
    memory: new Memory(),
    githubApps: new GitHubApps(now),
    states: new StateStore(join(config['storage-path'], 'repositories')),
    concurrent: config.concurrent,
    labelSelector: config['watch-label-selector'],
  })
  const server = await startArchiveServer({
    ...config['storage-addr'],
    root: archives.root,
    restore: (path) => restoreArchive(sourcer.context, path),
  })
  const stopHints = bus.onHint(GIT_REPOSITORY.kind, ({ namespace, name }, _hint, traceId) =>
    sourcer.checkNow(`${namespace}/${name}`, traceId),
  )
  bus.onStateLost(() => sourcer.publishAll())
  void sourcer.begin()
  return {
    queues: { gitrepository: sourcer.queue },
    problem: () => sourcer.problem(),
    stop: async (graceMs) => {
      stopHints()
      await server.close()
      await sourcer.stop(graceMs)
    },
  }
}

function limitsOf(config: SourceConfig): Limits {
  return {
    fetchBytes: config['max-fetch-bytes'],
    artifactBytes: config['max-artifact-bytes'],
    allowLinkLocal: config['allow-link-local'],
    fileBytes: config['max-file-bytes'],
    trees: { maxDepth: config['max-path-depth'], maxFiles: config['max-files'] },
    pack: {
      ...DEFAULT_PACK_LIMITS,
      maxObjectBytes: config['max-object-bytes'],
      maxUnpackedBytes: config['max-unpacked-bytes'],
      maxDeltaDepth: config['max-delta-depth'],
    },
  }
}

function archiveStore(config: SourceConfig): ArchiveStore {
  const { host, port } = config['storage-addr']
  const reachable = host === '0.0.0.0' || host === '::' ? hostname() : host
  const advertised = config['storage-adv-addr'] ?? `${reachable}:${port}`
  return new ArchiveStore(join(config['storage-path'], 'archives'), advertised, {
    ttlMs: config['artifact-retention-ttl-seconds'] * 1000,
    records: config['artifact-retention-records'],
  })
}
