import { readFile } from 'node:fs/promises'
import { flushCompileCache } from 'node:module'
import { hostname } from 'node:os'
import { isMainThread, parentPort } from 'node:worker_threads'
import { type Bus, connectBus } from '@setpoint/bus'
import { connectKube, type KubeClient } from '@setpoint/kube'
import { Fence, joinReplicas, type Membership, soleMember } from '@setpoint/membership'
import type { KeyedQueue } from '@setpoint/reconcile'
import { type Logger, pino } from 'pino'
import { commonSettings } from './common-settings.ts'
import { type Config, ConfigError, helpText, readConfig, type Settings } from './config.ts'
import { EventRecorder } from './events.ts'
import { startHealthServer } from './health-server.ts'
import { livenessProblem } from './liveness.ts'
import { Metrics } from './metrics.ts'
import { noTracing, startTracing, type Tracing } from './tracing.ts'

type CommonConfig = Config<typeof commonSettings>

/** What a service is given to work with. */
export interface ServiceContext<S extends Settings> {
  config: Config<S>
  /** The settings that every service has. */
  common: CommonConfig
  log: Logger
  bus: Bus
  kube: KubeClient
  metrics: Metrics
  events: EventRecorder
  tracing: Tracing
  /** Names this process: host and pid. */
  instance: string
  /** What of the work is this replica's. */
  membership: Membership
  /** For connections that a service makes itself: what it throws before a write keeps a replica that has lost its share from writing. */
  beforeWrite?: () => void
  /** Milliseconds since the epoch. */
  now(): number
}

/** What a service gives back when it runs. */
export interface RunningService {
  /** Its queues, by name: shown as metrics, and watched for progress by /healthz. */
  queues: Record<string, KeyedQueue>
  /** Why it cannot work right now, or undefined when it can. For /readyz. */
  problem(): string | undefined
  /** Finishes what is under way. Must return within the grace time. */
  stop(graceMs: number): Promise<void>
}

export interface ServiceDefinition<S extends Settings> {
  /** The name on the bus and in logs: `source`, `kustomize-render`, `apply`. */
  name: string
  /** The reporting controller of its events, such as `source-controller`. */
  controller: string
  settings: S
  start(context: ServiceContext<S>): Promise<RunningService>
}

/**
 * The whole life of a service process: settings, log, connections, health and metrics, work, and a clean stop on
 * SIGTERM or SIGINT. As a worker thread it stops on the message 'stop'. Exit code 2: unusable settings; 1: it failed.
 */
export async function runService<S extends Settings>(definition: ServiceDefinition<S>): Promise<void> {
  const { config, common } = readConfigOrExit(definition)
  const log = makeLog(definition, common['log-level'])
  crashLoudly(log)
  const context = await connect(definition, config, common, log)
  const service = await definition.start(context)
  const server = await startHealthServer({
    ...common['http-addr'],
    metrics: context.metrics,
    livenessProblem: () => livenessProblem(service.queues),
    readinessProblem: () => context.bus.problem() ?? context.membership.problem() ?? service.problem(),
  })
  for (const [name, queue] of Object.entries(service.queues)) context.metrics.watchQueue(name, queue)
  context.metrics.watchBus(context.bus.stats)
  context.metrics.watchEvents(context.events)
  log.info({ address: server.address }, 'started')
  // For the next start, should this process be killed; does nothing without NODE_COMPILE_CACHE.
  flushCompileCache()
  const graceMs = common['stop-grace-seconds'] * 1_000
  await stopRequested()
  log.info({}, 'stopping')
  await within(graceMs + 5_000, async () => {
    await service.stop(graceMs)
    await within(2_000, () => context.events.flush())
    await within(2_000, () => context.tracing.stop())
    await context.membership.leave()
    await context.bus.close()
    await context.kube[Symbol.asyncDispose]()
    await server.close()
  })
  log.info({}, 'stopped')
  process.exit(0)
}

/** JSON lines on standard output; that of a worker thread goes through its parent, which reads it. */
function makeLog(definition: { controller: string; name: string }, level: string): Logger {
  const options = {
    level,
    base: { controller: definition.controller, service: definition.name },
    timestamp: () => `,"ts":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  return isMainThread ? pino(options) : pino(options, process.stdout)
}

async function connect<S extends Settings>(
  definition: ServiceDefinition<S>,
  config: Config<S>,
  common: CommonConfig,
  log: Logger,
): Promise<ServiceContext<S>> {
  const now = Date.now
  const replica = replicaOf(common)
  const fence = replica === undefined ? undefined : new Fence()
  const beforeWrite = fence === undefined ? {} : { beforeWrite: () => fence.check() }
  const cluster = { ...given('kubeconfig', common.kubeconfig), ...given('context', common.context) }
  const userAgent = `setpoint-${definition.name}${replica === undefined ? '' : `/${replica}`}`
  const kube = await connectKube({ ...cluster, ...beforeWrite, userAgent })
  const bus = await connectBus({
    url: common['nats-url'],
    producer: definition.name,
    log,
    now,
    replicas: common['nats-replicas'],
    ...beforeWrite,
    ...given('user', common['nats-user']),
    ...given('password', await natsPassword(common)),
    ...given('credentialsFile', common['nats-credentials-file']),
    ...given('caFile', common['nats-ca-file']),
  })
  const instance = `${hostname()}-${process.pid}`
  const events = new EventRecorder({ bus, kube, log, controller: definition.controller, instance, now })
  const membership =
    fence === undefined || replica === undefined
      ? soleMember()
      : await joinReplicas({
          kube: await connectKube({ ...cluster, userAgent }),
          fence,
          log,
          service: definition.name,
          replica,
          process: `${instance}-${process.hrtime.bigint()}`,
          namespace: common['lease-namespace'] ?? '',
          durationMs: common['lease-duration-seconds'] * 1_000,
        })
  const tracing = await tracingOf(definition.name, instance, common, log)
  return {
    config,
    common,
    log,
    bus,
    kube,
    metrics: new Metrics(),
    events,
    tracing,
    instance,
    membership,
    ...beforeWrite,
    now,
  }
}

/** The name of this replica; undefined when it is the only one. */
function replicaOf(common: CommonConfig): string | undefined {
  if (common['lease-namespace'] === undefined) return undefined
  return common['replica-name'] ?? hostname().toLowerCase()
}

function readConfigOrExit<S extends Settings>(
  definition: ServiceDefinition<S>,
): { config: Config<S>; common: CommonConfig } {
  const settings: Settings = { ...commonSettings, ...definition.settings }
  const argv = process.argv.slice(2)
  if (argv.includes('--help')) {
    process.stdout.write(helpText(definition.name, settings))
    process.exit(0)
  }
  try {
    const all = readConfig(settings, argv, process.env)
    return { config: all as Config<S>, common: all as CommonConfig }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${definition.name}: ${error.message}\nSee ${definition.name} --help\n`)
    process.exit(2)
  }
}

async function tracingOf(
  service: string,
  instance: string,
  common: CommonConfig,
  log: Logger,
): Promise<Tracing> {
  const endpoint = common['otlp-endpoint']
  if (endpoint === undefined) return noTracing
  const onError = (error: unknown) =>
    log.debug({ reason: String(error) }, 'spans did not reach the collector')
  return startTracing({ endpoint, service, instance, onError })
}

async function natsPassword(common: CommonConfig): Promise<string | undefined> {
  const file = common['nats-password-file']
  return file === undefined ? common['nats-password'] : (await readFile(file, 'utf8')).trim()
}

function stopRequested(): Promise<void> {
  return new Promise((resolve) => {
    if (!isMainThread) {
      parentPort?.on('message', (message) => message === 'stop' && resolve())
      return
    }
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
  })
}

/** A bug must not leave a process that looks alive: log it and let the supervisor start a new one. */
function crashLoudly(log: Logger): void {
  const crash = (error: unknown) => {
    log.fatal({ err: error }, 'crashed')
    process.exit(1)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
}

async function within(ms: number, action: () => Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([action(), promise])
  clearTimeout(timer)
}

function given<K extends string, T>(name: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: T })
}
