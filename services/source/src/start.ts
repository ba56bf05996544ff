import { hostname } from 'node:os'
import { join } from 'node:path'
import { ArchiveMembers } from '@setpoint/artifact'
import { CloudLogins } from '@setpoint/cloud'
import type { SourceObject } from '@setpoint/contracts'
import { DEFAULT_PACK_LIMITS } from '@setpoint/git'
import type { RunningService, ServiceContext } from '@setpoint/service'
import { startArchiveServer } from './archive/archive-server.ts'
import { ArchiveStore, type Retention } from './archive/archive-store.ts'
import { restoreArchive } from './archive/restore.ts'
import { BucketKind } from './bucket/bucket-kind.ts'
import type { settings } from './config.ts'
import type { Limits, SourceContext } from './context.ts'
import { GitKind } from './git/git-kind.ts'
import { Memory } from './known.ts'
import { sourceMetrics } from './metrics.ts'
import { OciKind } from './oci/oci-kind.ts'
import type { SourceKind } from './source-kind.ts'
import { Sourcer } from './sourcer.ts'
import { StateStore } from './state-store.ts'
import { PackFiles } from './storage/pack-files.ts'
import { Packs } from './storage/packs.ts'
import { Sweeper } from './sweep/sweeper.ts'

const MAX_MEMBER_BYTES = 16 * 1024 * 1024

type SourceService = ServiceContext<typeof settings>
type SourceConfig = SourceService['config']

/** Starts the service: serves archives, lists what is there, then works on every change, hint and timer. */
export async function startSource(service: SourceService): Promise<RunningService> {
  const { config, bus } = service
  const archives = archiveStore(config)
  const packs = new Packs({
    files: new PackFiles(join(config['storage-path'], 'packs')),
    bus,
    maxBytes: config['max-artifact-bytes'],
    maxAgeMs: graceMsOf(config) / 2,
    now: service.now,
  })
  const sourcers = startSourcers(service, { archives, packs, members: new ArchiveMembers(MAX_MEMBER_BYTES) })
  const server = await startArchiveServer({
    ...config['storage-addr'],
    root: archives.root,
    restore: async (path) => {
      const own = sourcers.find(({ context }) => path.startsWith(`${context.kind.gvk.kind.toLowerCase()}/`))
      return own !== undefined && restoreArchive(own.context, path)
    },
  })
  const stops = sourcers.map((sourcer) =>
    bus.onHint(sourcer.context.kind.gvk.kind, ({ namespace, name }, _hint, traceId) =>
      sourcer.checkNow(`${namespace}/${name}`, traceId),
    ),
  )
  bus.onStateLost(() => {
    for (const sourcer of sourcers) sourcer.publishAll()
  })
  for (const sourcer of sourcers) void sourcer.begin()
  const sweeper = new Sweeper({
    context: { ...service, packs },
    kinds: sourcers.map(({ context }) => context),
    membership: service.membership,
    retention: retentionOf(config),
    intervalMs: config['sweep-interval-seconds'] * 1000,
    graceMs: graceMsOf(config),
  })
  return {
    queues: Object.fromEntries(
      sourcers.map(({ context, queue }) => [context.kind.gvk.kind.toLowerCase(), queue]),
    ),
    problem: () => sourcers.map((sourcer) => sourcer.problem()).find((problem) => problem !== undefined),
    stop: async (graceMs) => {
      for (const stop of stops) stop()
      await sweeper.stop()
      await server.close()
      await Promise.all(sourcers.map((sourcer) => sourcer.stop(graceMs)))
    },
  }
}

/** One for each kind of source. */
function startSourcers(
  service: SourceService,
  { archives, packs, members }: Pick<SourceContext, 'archives' | 'packs' | 'members'>,
) {
  const { config, bus, events, kube, log, now, membership, tracing } = service
  const metricsOf = sourceMetrics(service.metrics)
  const common = { kube, bus, events, tracing, log, now, membership, archives, packs, members }
  const start = <T extends SourceObject>(kind: SourceKind<T>) =>
    new Sourcer<T>({
      ...common,
      kind,
      metrics: metricsOf(kind.gvk.kind),
      limits: limitsOf(config),
      memory: new Memory(),
      states: new StateStore(join(config['storage-path'], kind.directory)),
      concurrent: config.concurrent,
      deadlineMs: config['max-run-seconds'] * 1000,
      labelSelector: config['watch-label-selector'],
    })
  const clouds = new CloudLogins({ kube, now, objectLevel: config['object-level-workload-identity'] })
  const git = start(
    new GitKind({
      now,
      clouds,
      perHostPerSecond: config['host-requests-per-second'],
      onListed: () => git.context.metrics.listed(),
      wake: (keys) => git.wake(keys),
    }),
  )
  const { allowLinkLocal, redirects: maxRedirects } = limitsOf(config)
  return [
    git,
    start(new OciKind({ now, allowLinkLocal, maxRedirects, clouds })),
    start(new BucketKind({ now, allowLinkLocal, clouds })),
  ]
}

/** What is stored is safe for so long: far longer than it takes to store the rest of a source and to name it. */
function graceMsOf(config: SourceConfig): number {
  return 6 * config['sweep-interval-seconds'] * 1000
}

function limitsOf(config: SourceConfig): Limits {
  return {
    fetchBytes: config['max-fetch-bytes'],
    artifactBytes: config['max-artifact-bytes'],
    redirects: config['max-redirects'],
    allowLinkLocal: config['allow-link-local'],
    fileBytes: config['max-file-bytes'],
    trees: { maxDepth: config['max-path-depth'], maxFiles: config['max-files'] },
    pack: {
      ...DEFAULT_PACK_LIMITS,
      maxObjectBytes: config['max-object-bytes'],
      maxUnpackedBytes: config['max-unpacked-bytes'],
      maxRatio: config['max-decompression-ratio'],
      maxDeltaDepth: config['max-delta-depth'],
    },
  }
}

function archiveStore(config: SourceConfig): ArchiveStore {
  const { host, port } = config['storage-addr']
  const reachable = host === '0.0.0.0' || host === '::' ? hostname() : host
  const advertised = config['storage-adv-addr'] ?? `${reachable}:${port}`
  return new ArchiveStore(join(config['storage-path'], 'archives'), advertised, retentionOf(config))
}

function retentionOf(config: SourceConfig): Retention {
  return {
    ttlMs: config['artifact-retention-ttl-seconds'] * 1000,
    records: config['artifact-retention-records'],
  }
}
