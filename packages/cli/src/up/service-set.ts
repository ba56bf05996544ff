import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startProgram } from './child-part.ts'
import { type ReadLine, readNatsLine, readServiceLine } from './log-line.ts'
import type { Member } from './members.ts'
import { greets, natsPart } from './nats-part.ts'
import type { Ports } from './ports.ts'
import type { UpOptions, UpWatcher } from './run-up.ts'
import type { Part } from './running.ts'
import { serviceArguments } from './services.ts'
import type { UpState } from './state-file.ts'
import { type Supervised, type SupervisorOptions, supervise } from './supervise.ts'
import { startThread } from './worker-part.ts'

/** A service that got SIGTERM gives up by itself after its own grace time, which is shorter. */
const SERVICE_GRACE_MS = 28_000
const NATS_GRACE_MS = 10_000
const NATS_STARTS_WITHIN_MS = 30_000

interface Settings {
  options: UpOptions
  dataDirectory: string
  members: readonly Member[]
  ports: Ports
  /** URL of the API server. */
  server: string
  watcher: UpWatcher
  now(): number
}

/**
 * Memory for CPU: the old generation grows by a fifth, not by up to four times, before it is collected. The young one is not
 * to be smaller: what lives for the length of a request, or of a commit, would be copied again and again. V8's own
 * --memory-saver-mode shrinks it at each collection, which costs a fifth more CPU for a tenth less memory.
 * The Dockerfile says the same.
 */
const NODE_FLAGS = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=8',
  '--heap-growing-percent=20',
]
/** glibc gives every thread an arena of its own, which keeps what was freed: 10 MiB of each service. */
const NODE_ENVIRONMENT = { MALLOC_ARENA_MAX: '1' }

/** The nats-server and the services of one `up`, kept running. */
export class ServiceSet {
  private readonly settings: Settings
  private readonly natsUrl: string
  private nats: Supervised | undefined
  private services: Supervised[] = []

  constructor(settings: Settings) {
    this.settings = settings
    this.natsUrl = settings.options.natsUrl ?? `nats://127.0.0.1:${settings.ports.nats}`
  }

  async start(onChange: () => void, signal: AbortSignal): Promise<void> {
    const { options, dataDirectory, members, watcher, now } = this.settings
    await mkdir(options.logDirectory ?? dataDirectory, { recursive: true })
    for (const { name, service } of members)
      if (service.servesArtifacts) await mkdir(join(dataDirectory, name), { recursive: true, mode: 0o700 })
    const supervision: SupervisorOptions = {
      now,
      onChange,
      tell: (part, line) => watcher.log(part, 'error', line),
    }
    if (options.natsUrl === undefined) await this.startNats(supervision, signal)
    this.services = members.map((member) => supervise(this.servicePart(member), supervision))
  }

  /** Services first, so that they can still say on the bus how it ended. */
  async stop(): Promise<void> {
    await Promise.all(this.services.map((service) => service.stop(SERVICE_GRACE_MS)))
    await this.nats?.stop(NATS_GRACE_MS)
  }

  state(): UpState {
    const { options, ports, server } = this.settings
    return {
      pid: process.pid,
      server,
      namespace: options.namespace,
      singleProcess: options.singleProcess,
      nats: { url: this.natsUrl, ...pidOf(this.nats), restarts: this.nats?.restarts ?? 0 },
      services: this.services.map((service) => ({
        name: service.name,
        ...pidOf(service),
        url: `http://127.0.0.1:${ports.http[service.name]}`,
        restarts: service.restarts,
      })),
    }
  }

  private async startNats(supervision: SupervisorOptions, signal: AbortSignal): Promise<void> {
    const { dataDirectory, ports, watcher } = this.settings
    const part = await natsPart({
      dataDirectory,
      port: ports.nats,
      logFile: this.logFile('nats-server'),
      onLine: (line) => this.show('nats-server', readNatsLine(line)),
      onProgress: watcher.tell,
    })
    this.nats = supervise(part, supervision)
    for (let waited = 0; waited < NATS_STARTS_WITHIN_MS && !signal.aborted; waited += 25) {
      if (this.nats.pid !== undefined && (await greets(ports.nats))) return
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }

  private servicePart(member: Member): Part {
    const { options, ports } = this.settings
    const { name, service } = member
    const own = { http: ports.http[name] ?? 0, artifacts: ports.artifacts[name] ?? 0 }
    const args = serviceArguments(member, this.serviceSettings(), own)
    const onLine = (line: string) => this.show(name, readServiceLine(line))
    const node = [...NODE_FLAGS, service.file]
    return {
      name,
      start: () =>
        options.singleProcess
          ? startThread({ file: service.file, args, onLine })
          : startProgram(name, {
              command: process.execPath,
              args: [...node, ...args],
              env: NODE_ENVIRONMENT,
              logFile: this.logFile(name),
              onLine,
            }),
    }
  }

  private serviceSettings() {
    const { options, dataDirectory } = this.settings
    const { kubeconfig, context, namespace, logLevel } = options
    return { kubeconfig, context, namespace, logLevel, dataDirectory, natsUrl: this.natsUrl }
  }

  private logFile(name: string): string | undefined {
    const { logDirectory } = this.settings.options
    return logDirectory === undefined ? undefined : join(logDirectory, `${name}.log`)
  }

  private show(part: string, { severity, text }: ReadLine): void {
    this.settings.watcher.log(part, severity, text)
  }
}

function pidOf(supervised: Supervised | undefined): { pid?: number } {
  return supervised?.pid === undefined ? {} : { pid: supervised.pid }
}
