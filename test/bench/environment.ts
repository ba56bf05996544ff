import { type Informer, type KubeClient, startInformer } from '@setpoint/kube'
import type { KubeObject } from '@setpoint/manifest'
import type { GitRepo } from '@setpoint/testkit'
import { type Cluster, startCluster, withStack } from './neighbours.ts'
import { cpuSeconds, memoryTogetherMib, peakMemoryMib } from './processes.ts'
import { type BenchWriter, benchWriter, NAMESPACE, type StartSystem, type System } from './system.ts'

export const KUSTOMIZATION = { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization' }
const CONFIG_MAP = { group: '', version: 'v1', kind: 'ConfigMap' }

/** What has been used so far. */
export interface Usage {
  services: { name: string; cpuSeconds: number; peakMib: number }[]
  /** The most memory that all of them have held at one time, what they share counted once. */
  togetherMib: number
  /** Requests that the API server answered, by verb, without the bench's own writes. */
  apiRequests: Record<string, number>
  /** Bytes that the services put on the bus. */
  busBytes: number
}

/** A system at work, with the fleet's repository and a view of the cluster. */
export interface BenchEnvironment extends AsyncDisposable {
  system: System
  repo: GitRepo
  create(object: KubeObject): Promise<void>
  /** Gives a Kustomization another interval. */
  setInterval(name: string, interval: string): Promise<void>
  /** How many Kustomizations are Ready with the spec that they have now. */
  observed(): number
  /** Somebody edits the ConfigMap of an app by hand. */
  edit(name: string, value: string): Promise<void>
  configValue(name: string): string
  /** Resolves when the ConfigMap of an app has the value, as a watch sees it. */
  seesConfigValue(name: string, value: string, timeoutMs: number): Promise<void>
  /** How many Kustomizations are Ready at a commit. */
  readyAt(head: string): number
  /** One Kustomization is Ready at a commit. */
  isReadyAt(name: string, head: string): boolean
  usage(): Promise<Usage>
  /** Without the bytes on the bus, which the services must be asked for: that costs them something. */
  quietUsage(): Promise<Usage>
}

/** A real API server with etcd, a Git server and the system, all on this machine. */
export function startEnvironment(startSystem: StartSystem): Promise<BenchEnvironment> {
  return withStack((stack) => assemble(stack, startSystem))
}

async function assemble(stack: AsyncDisposableStack, startSystem: StartSystem): Promise<BenchEnvironment> {
  const cluster = await startCluster(stack)
  const writer = benchWriter(cluster)
  const system = await startSystem(stack, { cluster, writer })
  const watched = await watch(cluster.kube, stack)
  const togetherMib = watchMemory(system, stack)
  const quietUsage = () => usageOf(system, cluster, writer, togetherMib())
  return {
    system,
    repo: await cluster.git.create('fleet'),
    ...watched,
    create: writer.create,
    setInterval: (name, interval) => writer.patch(KUSTOMIZATION, name, { spec: { interval } }),
    edit: (name, value) => writer.patch(CONFIG_MAP, name, { data: { value } }),
    usage: async () => {
      const usage = await quietUsage()
      return { ...usage, busBytes: await system.busBytes() }
    },
    quietUsage,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Watches the Kustomizations and ConfigMaps of the bench, so that measuring costs the API server next to nothing. */
async function watch(kube: KubeClient, stack: AsyncDisposableStack) {
  const stopping = new AbortController()
  stack.defer(() => stopping.abort())
  const waiting = new Map<string, { value: string; resolve(): void }>()
  const kustomizations = startInformer(kube, {
    gvk: KUSTOMIZATION,
    signal: stopping.signal,
    transform: slim,
    onUpsert() {},
    onDelete() {},
  })
  const configMaps: Informer = startInformer(kube, {
    gvk: CONFIG_MAP,
    signal: stopping.signal,
    transform: slim,
    onUpsert: (object) => {
      const wish = waiting.get(object.metadata.name)
      if (wish === undefined || heldValue(object) !== wish.value) return
      waiting.delete(object.metadata.name)
      wish.resolve()
    },
    onDelete() {},
  })
  await Promise.all([kustomizations.synced, configMaps.synced])
  const configValue = (name: string) => heldValue(configMaps.get(NAMESPACE, name)) ?? ''
  return {
    configValue,
    seesConfigValue: (name: string, value: string, timeoutMs: number) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const timer = setTimeout(
        () => reject(new Error(`${name} did not become ${value} in ${timeoutMs} ms`)),
        timeoutMs,
      )
      waiting.set(name, { value, resolve })
      return promise.finally(() => clearTimeout(timer))
    },
    isReadyAt: (name: string, head: string) => {
      const found = kustomizations.get(NAMESPACE, name)
      return found !== undefined && isReadyAt(found, head)
    },
    observed: () => kustomizations.list().filter(isObserved).length,
    readyAt: (head: string) => kustomizations.list().filter((object) => isReadyAt(object, head)).length,
  }
}

/** The bench starts git for each fetch, and the more it holds the longer that takes. */
function slim({ kind, apiVersion, metadata, data, status }: KubeObject): KubeObject {
  const { namespace, name, uid, resourceVersion, generation } = metadata
  const { conditions, lastAppliedRevision, observedGeneration } = (status ?? {}) as Record<string, unknown>
  return {
    kind,
    apiVersion,
    metadata: { namespace, name, uid, resourceVersion, generation },
    ...(data === undefined ? {} : { data }),
    status: { conditions, lastAppliedRevision, observedGeneration },
  } as KubeObject
}

function isReadyAt(object: KubeObject, head: string): boolean {
  const status = object.status as
    | { lastAppliedRevision?: string; conditions?: { type: string; status: string }[] }
    | undefined
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' && (status?.lastAppliedRevision ?? '').endsWith(head)
}

function isObserved({ metadata, status }: KubeObject): boolean {
  const { observedGeneration, conditions } = (status ?? {}) as {
    observedGeneration?: number
    conditions?: { type: string; status: string }[]
  }
  const ready = conditions?.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' && observedGeneration === metadata.generation
}

const heldValue = (object: KubeObject | undefined) => (object?.data as { value?: string } | undefined)?.value

const MEMORY_LOOK_MS = 250

/** Returns the most that was seen so far. */
function watchMemory({ processes }: System, stack: AsyncDisposableStack): () => number {
  const pids = processes.map(({ pid }) => pid)
  let peak = 0
  const timer = setInterval(() => {
    peak = Math.max(peak, memoryTogetherMib(pids))
  }, MEMORY_LOOK_MS)
  stack.defer(() => clearInterval(timer))
  return () => peak
}

async function usageOf(
  system: System,
  { kube }: Cluster,
  { counts }: BenchWriter,
  togetherMib: number,
): Promise<Usage> {
  const services = system.processes.map(({ name, pid }) => ({
    name,
    cpuSeconds: cpuSeconds(pid),
    peakMib: peakMemoryMib(pid),
  }))
  const answered = Object.entries(await apiRequests(kube))
  const apiRequestsOfOthers = answered.map(([verb, count]) => [verb, count - (counts[verb] ?? 0)] as const)
  return { services, togetherMib, apiRequests: Object.fromEntries(apiRequestsOfOthers), busBytes: 0 }
}

/** The API server writes these itself, one for each Service. */
const OWN_RESOURCE = 'resource="ipaddresses"'

async function apiRequests(kube: KubeClient): Promise<Record<string, number>> {
  const lines: string[] = []
  await kube.stream({
    path: '/metrics',
    signal: AbortSignal.timeout(60_000),
    onLine: (line) => lines.push(line),
  })
  const counts: Record<string, number> = {}
  for (const line of lines) {
    if (!line.startsWith('apiserver_request_total{') || line.includes(OWN_RESOURCE)) continue
    const verb = /verb="([^"]+)"/.exec(line)?.[1] ?? ''
    const dry = /dry_run="[^"]+"/.test(line) ? ' (dry-run)' : ''
    counts[verb + dry] = (counts[verb + dry] ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1))
  }
  return counts
}
