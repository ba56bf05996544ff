import { GIT_REPOSITORY } from '@setpoint/contracts'
import { type Informer, type KubeClient, startInformer } from '@setpoint/kube'
import type { KubeObject } from '@setpoint/manifest'
import { type GitRepo, temporaryDirectory } from '@setpoint/testkit'
import { startNeighbours, withStack } from './neighbours.ts'
import { cpuSeconds, peakMemoryMib } from './processes.ts'
import { startUp, type UpState } from './up.ts'

const KUSTOMIZATION = { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization' }
const CONFIG_MAP = { group: '', version: 'v1', kind: 'ConfigMap' }

/** What has been used so far. */
export interface Usage {
  services: { name: string; cpuSeconds: number; peakMib: number }[]
  /** Requests that the API server answered, by verb, Setpoint's and the bench's own. */
  apiRequests: Record<string, number>
  /** Bytes that the services put on the bus. */
  busBytes: number
}

export interface BenchEnvironment extends AsyncDisposable {
  repo: GitRepo
  create(object: KubeObject): Promise<void>
  /** Tells source that there is a commit. */
  hint(namespace: string): void
  /** Asks for a full check of one Kustomization. */
  check(namespace: string, name: string): void
  /** Gives a Kustomization another interval. */
  setInterval(name: string, interval: string): Promise<void>
  /** How many Kustomizations are Ready with the spec that they have now. */
  observed(): number
  /** Runs over Kustomizations that ended. */
  checksDone(): Promise<number>
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

/** A real API server with etcd, NATS, a Git server and `setpoint up`, all on this machine. */
export function startEnvironment(): Promise<BenchEnvironment> {
  return withStack(assemble)
}

async function assemble(stack: AsyncDisposableStack): Promise<BenchEnvironment> {
  const { kubeconfig, nats, git, kube, bus } = await startNeighbours(stack)
  const home = stack.use(await temporaryDirectory('bench'))
  const state = await startUp(stack, { kubeconfig, natsUrl: nats.url, data: home.path })
  const watched = await watch(kube, stack)
  return {
    repo: await git.create('fleet'),
    ...watched,
    create: async (object) => {
      await kube.create(object)
    },
    hint: (namespace) =>
      bus.hint({ kind: GIT_REPOSITORY.kind, namespace, name: 'fleet' }, { requestedBy: 'bench' }),
    check: (namespace, name) =>
      bus.hint({ kind: KUSTOMIZATION.kind, namespace, name }, { requestedBy: 'bench' }),
    setInterval: async (name, interval) => {
      await kube.mergePatch(KUSTOMIZATION, { namespace: 'bench', name }, { spec: { interval } })
    },
    checksDone: async () => {
      const apply = state.services.find(({ name }) => name === 'apply')
      const page = await (await fetch(`${apply?.url}/metrics`)).text()
      return sumOf(page, 'workqueue_finished_total')
    },
    edit: async (name, value) => {
      await kube.mergePatch(
        CONFIG_MAP,
        { namespace: 'bench', name },
        { data: { value } },
        { fieldManager: 'somebody' },
      )
    },
    usage: () => usage(kube, state),
    quietUsage: () => quietUsage(kube, state),
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
    onUpsert() {},
    onDelete() {},
  })
  const configMaps: Informer = startInformer(kube, {
    gvk: CONFIG_MAP,
    signal: stopping.signal,
    onUpsert: (object) => {
      const wish = waiting.get(object.metadata.name)
      if (wish === undefined || heldValue(object) !== wish.value) return
      waiting.delete(object.metadata.name)
      wish.resolve()
    },
    onDelete() {},
  })
  await Promise.all([kustomizations.synced, configMaps.synced])
  const configValue = (name: string) => heldValue(configMaps.get('bench', name)) ?? ''
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
      const found = kustomizations.get('bench', name)
      return found !== undefined && isReadyAt(found, head)
    },
    observed: () => kustomizations.list().filter(isObserved).length,
    readyAt: (head: string) => kustomizations.list().filter((object) => isReadyAt(object, head)).length,
  }
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

async function quietUsage(kube: KubeClient, state: UpState): Promise<Usage> {
  return { services: cpuOf(state), apiRequests: await apiRequests(kube), busBytes: 0 }
}

async function usage(kube: KubeClient, state: UpState): Promise<Usage> {
  const services = cpuOf(state)
  const pages = await Promise.all(
    state.services.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()),
  )
  const busBytes = pages.reduce((sum, page) => sum + sumOf(page, 'setpoint_bus_published_bytes_total'), 0)
  return { services, apiRequests: await apiRequests(kube), busBytes }
}

function cpuOf(state: UpState): Usage['services'] {
  return state.services.map(({ name, pid }) => ({
    name,
    cpuSeconds: cpuSeconds(pid),
    peakMib: peakMemoryMib(pid),
  }))
}

async function apiRequests(kube: KubeClient): Promise<Record<string, number>> {
  const lines: string[] = []
  await kube.stream({
    path: '/metrics',
    signal: AbortSignal.timeout(60_000),
    onLine: (line) => lines.push(line),
  })
  const counts: Record<string, number> = {}
  for (const line of lines) {
    if (!line.startsWith('apiserver_request_total{')) continue
    const verb = /verb="([^"]+)"/.exec(line)?.[1] ?? ''
    const dry = /dry_run="[^"]+"/.test(line) ? ' (dry-run)' : ''
    counts[verb + dry] = (counts[verb + dry] ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1))
  }
  return counts
}

function sumOf(page: string, name: string): number {
  return page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
