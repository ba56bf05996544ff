import { join } from 'node:path'
import type { Bus } from '@setpoint/bus'
import { artifactMessage, GIT_REPOSITORY, type GitRepository, subjects } from '@setpoint/contracts'
import type { KubeClient } from '@setpoint/kube'
import {
  freePort,
  type GitServer,
  type ServiceProcess,
  startService,
  temporaryDirectory,
  waitFor,
} from '@setpoint/testkit'
import { startNeighbours, withStack } from '../neighbours.ts'
import { cpuSeconds, peakMemoryMib } from '../processes.ts'

const NAMESPACE = 'bench'
const TIMEOUT_MS = 10 * 60_000

/** What all measurements share. */
export interface SourceBench extends AsyncDisposable {
  git: GitServer
  /** A source service of its own, with nothing stored. */
  startSource(): Promise<Source>
}

/** One source service, and what the measurements need of it. */
export interface Source extends AsyncDisposable {
  create(name: string, url: string, interval?: string): Promise<void>
  /** Asks over NATS to look now. */
  hint(name: string): void
  /** Waits until the bus has an artifact of a commit. */
  untilPublished(name: string, sha: string): Promise<void>
  /** Waits until it is Ready, at a commit if one is given. */
  untilReady(name: string, sha?: string): Promise<GitRepository>
  /** Where it keeps its files. */
  storage: string
  /** CPU seconds of the service so far, and the most memory that it has held. */
  usage(): { cpuSeconds: number; peakMib: number }
  /** Bytes that it has sent over the bus. */
  sentBytes(): Promise<number>
}

export function startSourceBench(): Promise<SourceBench> {
  return withStack(assemble)
}

async function assemble(stack: AsyncDisposableStack): Promise<SourceBench> {
  const { plane, kubeconfig, nats, git, kube, bus } = await startNeighbours(stack)
  const crds = join(import.meta.dirname, '../../../charts/setpoint/crds')
  await plane.kubectl('apply', '--server-side', '-f', crds)
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  const where = { kubeconfig, natsUrl: nats.url }
  return {
    git,
    startSource: () => startSource({ kube, bus }, where),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function startSource(
  { kube, bus }: { kube: KubeClient; bus: Bus },
  { kubeconfig, natsUrl }: { kubeconfig: string; natsUrl: string },
): Promise<Source> {
  const home = await temporaryDirectory('bench-source')
  const shard = crypto.randomUUID()
  const service = await startService('source', [
    `--kubeconfig=${kubeconfig}`,
    `--nats-url=${natsUrl}`,
    `--storage-addr=127.0.0.1:${await freePort()}`,
    `--storage-path=${home.path}`,
    `--watch-label-selector=shard=${shard}`,
  ])
  return {
    create: async (name, url, interval = '10m') => {
      await kube.create({
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: GIT_REPOSITORY.kind,
        metadata: { namespace: NAMESPACE, name, labels: { shard } },
        spec: { interval, url, timeout: '5m', ref: { branch: 'main' } },
      })
    },
    hint: (name) =>
      bus.hint({ kind: GIT_REPOSITORY.kind, namespace: NAMESPACE, name }, { requestedBy: 'bench' }),
    untilPublished: (name, sha) => untilPublished(bus, name, sha),
    untilReady: (name, sha = '') => untilReady(kube, name, sha),
    storage: home.path,
    usage: () => usageOf(service),
    sentBytes: () => service.metric('setpoint_bus_published_bytes_total'),
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]()
      await home[Symbol.asyncDispose]()
    },
  }
}

async function untilPublished(bus: Bus, name: string, sha: string): Promise<void> {
  const subject = subjects.artifact({ kind: GIT_REPOSITORY.kind, namespace: NAMESPACE, name })
  await waitFor(
    `${name} is published`,
    async () => (await bus.last(artifactMessage, subject))?.data.revision.endsWith(sha),
    { intervalMs: 2, timeoutMs: TIMEOUT_MS },
  )
}

function untilReady(kube: KubeClient, name: string, sha: string): Promise<GitRepository> {
  return waitFor(
    `${name} is Ready`,
    async () => {
      const found = (await kube.get(GIT_REPOSITORY, { namespace: NAMESPACE, name })) as GitRepository
      const ready = found.status?.conditions?.find(({ type }) => type === 'Ready')
      const isAt = found.status?.artifact?.revision.endsWith(sha) === true
      if (ready?.status === 'True' && isAt) return found
      throw new Error(ready?.message ?? 'it has no status yet')
    },
    { timeoutMs: TIMEOUT_MS },
  )
}

function usageOf({ child }: ServiceProcess) {
  const pid = child.pid ?? 0
  return { cpuSeconds: cpuSeconds(pid), peakMib: peakMemoryMib(pid) }
}
