import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bus, connectBus } from '@setpoint/bus'
import {
  GIT_REPOSITORY,
  type GitRepository,
  type GitRepositorySpec,
  KUSTOMIZATION,
  type Kustomization,
  type KustomizationSpec,
  REQUESTED_AT_ANNOTATION,
} from '@setpoint/contracts'
import { connectKube, type KindRef, type KubeClient } from '@setpoint/kube'
import type { KubeObject } from '@setpoint/manifest'
import {
  binary,
  type ControlPlane,
  type FileChange,
  type GitRepo,
  type GitServer,
  type NatsServer,
  startControlPlane,
  startGitServer,
  startTcpProxy,
  temporaryDirectory,
  waitFor,
} from '@setpoint/testkit'
import { CHART } from '../chart/helm.ts'
import { installIdentities, SERVICES, type ServiceName } from '../chart/identities.ts'
import { readWrites, type Writes } from './api-writes.ts'
import { startNatsOfChart, TEST_USER } from './chart-nats.ts'
import { CONFIG_MAP } from './manifests.ts'
import { type ServiceProcess, STORAGE, startService } from './service-process.ts'

/** Where the GitRepositories, Kustomizations and their objects of these tests are. */
export const NAMESPACE = 'flux-system'

/** Building a tool that is missing takes minutes, once. */
export const START_TIMEOUT_MS = 600_000

export type Kind = 'GitRepository' | 'Kustomization'

/** One whole Setpoint on real parts: API server, NATS, Git, and each service as a process with the chart's rights. */
export interface WholeSet extends AsyncDisposable {
  plane: ControlPlane
  /** Cluster-admin. */
  kube: KubeClient
  nats: NatsServer
  bus: Bus
  git: GitServer
  services: Record<ServiceName, ServiceProcess>
  /** Every replica of every service; `services` are the first ones. */
  processes: ServiceProcess[]
  /** Where the services write what they log: a file for each process, JSON by the line. */
  logDirectory: string
  /** What the source service keeps on disk. */
  storage: string
  /** A repository with one commit, and a GitRepository of the same name that is Ready. */
  createFleet(name: string, files: Record<string, FileChange>): Promise<GitRepo>
  applyGitRepository(name: string, spec: Partial<GitRepositorySpec> & { url: string }): Promise<void>
  /** Reads the directory of its name in the GitRepository `fleet`, prunes, and retries each second, unless told otherwise. */
  applyKustomization(name: string, spec?: Partial<KustomizationSpec>): Promise<void>
  gitRepository(name: string): Promise<GitRepository>
  kustomization(name: string): Promise<Kustomization>
  /** Asks the source service to look at a GitRepository now. */
  hint(name?: string): Promise<void>
  /** Sets the annotation by which `flux reconcile` asks for a reconciliation; returns its value. */
  request(kind: Kind, name: string): Promise<string>
  /** Waits for Ready at the present generation, and at a commit when one is given. */
  waitReady(kind: Kind, name: string, commit?: string, timeoutMs?: number): Promise<KubeObject>
  /** Waits for Ready=False with a reason; returns the message of the condition. */
  waitNotReady(kind: Kind, name: string, reason: string): Promise<string>
  /** The data of a ConfigMap in NAMESPACE; undefined when there is none. */
  configMap(name: string): Promise<Record<string, string> | undefined>
  waitConfigMap(name: string, data: Record<string, string> | undefined): Promise<void>
  /** Every write that the API server has served so far. */
  writes(): Promise<Writes>
  /** Waits until no service has work under way or waiting. */
  waitIdle(): Promise<void>
  /** Lines of the services' logs that say that something was not permitted. */
  refusals(): string[]
  /** Deletes an object and waits until it is gone. */
  remove(kind: KindRef, name: string): Promise<void>
}

export interface WholeSetOptions {
  /** Also kube-controller-manager, scheduler and nodes, so that Deployments roll out. */
  controllers?: boolean
  /** Replicas of each service, which share the work. Without it: one, which asks nobody. */
  replicas?: number
  /** Also a record of who wrote what; see `auditedWrites`. */
  audit?: boolean
  /** Each process reaches the API server and NATS through networks of its own, which a test can cut. */
  networks?: boolean
}

/**
 * Starts everything on a control plane of its own: two Setpoints on one cluster would write against each other, and these
 * tests count the writes of the API server.
 */
export async function startWholeSet(options: WholeSetOptions = {}): Promise<WholeSet> {
  const stack = new AsyncDisposableStack()
  try {
    return await assemble(stack, options)
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function assemble(stack: AsyncDisposableStack, options: WholeSetOptions): Promise<WholeSet> {
  await binary('helm')
  const directory = stack.use(await temporaryDirectory('e2e')).path
  const plane = stack.use(await startControlPlane(options))
  await plane.kubectl('apply', '--server-side', '-f', join(CHART, 'crds'))
  await plane.kubectl('create', 'namespace', NAMESPACE)
  const kubeconfigs = await installIdentities(plane)
  const nats = stack.use(await startNatsOfChart())
  const git = stack.use(await startGitServer())
  const kube = stack.use(await connectKube({ kubeconfig: plane.kubeconfig }))
  const log = { info() {}, warn() {} }
  const bus = stack.use(
    await connectBus({ url: nats.url, producer: 'test', log, now: Date.now, ...TEST_USER }),
  )
  const start = async (name: ServiceName, replica: string | undefined) => {
    const place = replica === undefined ? {} : { replica }
    const settings = { kubeconfig: kubeconfigs[name], natsUrl: nats.url, directory, ...place }
    if (!options.networks) return stack.use(await startService(name, settings))
    const networks = {
      api: stack.use(await startTcpProxy(Number(new URL(plane.url).port))),
      nats: stack.use(await startTcpProxy(Number(new URL(nats.url).port))),
    }
    const kubeconfig = join(directory, `${replica ?? name}.kubeconfig`)
    await readdress(kubeconfigs[name], kubeconfig, { from: plane.url, port: networks.api.port })
    const natsUrl = `nats://127.0.0.1:${networks.nats.port}`
    return stack.use(await startService(name, { ...settings, kubeconfig, natsUrl, networks }))
  }
  const processes = await Promise.all(
    SERVICES.flatMap((name) => replicaNames(name, options).map((replica) => start(name, replica))),
  )
  const first = (name: ServiceName) => processes.find((one) => one.name === name) as ServiceProcess
  const services = {
    source: first('source'),
    'kustomize-render': first('kustomize-render'),
    apply: first('apply'),
    'image-automation': first('image-automation'),
  }
  const storage = join(directory, services.source.replica, STORAGE)
  const parts = { plane, kube, nats, bus, git, services, processes, storage, logDirectory: directory }
  return { ...parts, ...actions(parts), [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

type Parts = Pick<
  WholeSet,
  'plane' | 'kube' | 'nats' | 'bus' | 'git' | 'services' | 'processes' | 'storage' | 'logDirectory'
>

function replicaNames(name: ServiceName, { replicas }: WholeSetOptions): (string | undefined)[] {
  return replicas === undefined
    ? [undefined]
    : Array.from({ length: replicas }, (_, index) => `${name}-${index}`)
}

async function readdress(
  kubeconfig: string,
  copy: string,
  { from, port }: { from: string; port: number },
): Promise<void> {
  const text = await readFile(kubeconfig, 'utf8')
  await writeFile(copy, text.replace(from, `https://127.0.0.1:${port}`))
}

function actions(parts: Parts): Omit<WholeSet, keyof Parts | typeof Symbol.asyncDispose> {
  const { kube, plane, git, processes } = parts
  const get = async <T extends KubeObject>(kind: KindRef, name: string) => {
    const found = await kube.get(kind, { namespace: NAMESPACE, name })
    if (found === undefined) throw new Error(`${kind.kind} ${name} does not exist`)
    return found as T
  }
  const create = (kind: KindRef, name: string, spec: object) =>
    kube.apply(
      {
        apiVersion: `${kind.group}/${kind.version}`,
        kind: kind.kind,
        metadata: { namespace: NAMESPACE, name },
        spec,
      },
      { fieldManager: 'test' },
    )
  const configMap = async (name: string) => {
    const found = await kube.get(CONFIG_MAP, { namespace: NAMESPACE, name })
    return found?.data as Record<string, string> | undefined
  }
  const applyGitRepository: WholeSet['applyGitRepository'] = async (name, spec) => {
    await create(GIT_REPOSITORY, name, { interval: '10m', ref: { branch: 'main' }, ...spec })
  }
  const waitReady: WholeSet['waitReady'] = (kind, name, commit, timeoutMs) =>
    waitFor(
      `${kind} ${name} is Ready${commit === undefined ? '' : ` at ${commit}`}`,
      async () => readyAt(await get(kindOf(kind), name), commit),
      timeoutMs === undefined ? {} : { timeoutMs },
    ).catch(withLogs(parts))
  return {
    createFleet: async (name, files) => {
      const repo = await git.create(name)
      const commit = await repo.commit(files)
      await applyGitRepository(name, { url: repo.url })
      await waitReady('GitRepository', name, commit)
      return repo
    },
    applyGitRepository,
    applyKustomization: async (name, spec = {}) => {
      await create(KUSTOMIZATION, name, {
        interval: '10m',
        retryInterval: '1s',
        prune: true,
        path: `./${name}`,
        targetNamespace: NAMESPACE,
        sourceRef: { kind: 'GitRepository', name: 'fleet' },
        ...spec,
      })
    },
    gitRepository: (name) => get(GIT_REPOSITORY, name),
    kustomization: (name) => get(KUSTOMIZATION, name),
    hint: async (name = 'fleet') => {
      parts.bus.hint({ kind: 'GitRepository', namespace: NAMESPACE, name }, { requestedBy: 'test' })
      await parts.bus.flush()
    },
    request: async (kind, name) => {
      const value = new Date().toISOString()
      const metadata = { annotations: { [REQUESTED_AT_ANNOTATION]: value } }
      await kube.mergePatch(kindOf(kind), { namespace: NAMESPACE, name }, { metadata })
      return value
    },
    waitReady,
    waitNotReady: (kind, name, reason) =>
      waitFor(`${kind} ${name} is not Ready: ${reason}`, async () =>
        failure(await get(kindOf(kind), name), reason),
      ).catch(withLogs(parts)),
    configMap,
    waitConfigMap: async (name, data) => {
      await waitFor(`ConfigMap ${name} is ${JSON.stringify(data) ?? 'gone'}`, async () => {
        const present = await configMap(name)
        if (JSON.stringify(present) === JSON.stringify(data)) return true
        throw new Error(`it is ${JSON.stringify(present) ?? 'gone'}`)
      }).catch(withLogs(parts))
    },
    writes: () => readWrites(plane.kubectl),
    waitIdle: () => waitIdle(parts),
    refusals: () =>
      processes
        .flatMap((one) => one.logs().split('\n'))
        .filter((line) => /forbidden|permissions violation/i.test(line)),
    remove: async (kind, name) => {
      await kube.delete(kind, { namespace: NAMESPACE, name })
      await waitFor(
        `${kind.kind} ${name} is gone`,
        async () => (await kube.get(kind, { namespace: NAMESPACE, name })) === undefined,
      ).catch(withLogs(parts))
    },
  }
}

const kindOf = (kind: Kind): KindRef => (kind === 'GitRepository' ? GIT_REPOSITORY : KUSTOMIZATION)

interface Status {
  observedGeneration?: number
  lastAppliedRevision?: string
  artifact?: { revision: string }
  conditions?: Array<{ type: string; status: string; reason: string; message: string }>
}

/** @throws Error saying what it is instead. */
function readyAt(object: KubeObject, commit: string | undefined): KubeObject {
  const status = (object.status ?? {}) as Status
  const ready = conditionOf(object, 'Ready')
  const revision =
    (object.kind === 'GitRepository' ? status.artifact?.revision : status.lastAppliedRevision) ?? ''
  const current = status.observedGeneration === object.metadata.generation
  if (ready?.status === 'True' && current && (commit === undefined || revision.endsWith(commit)))
    return object
  throw new Error(`revision ${revision}, ${JSON.stringify(status.conditions)}`)
}

/** @throws Error saying what it is instead. */
function failure(object: KubeObject, reason: string): string {
  const ready = conditionOf(object, 'Ready')
  if (ready?.status === 'False' && ready.reason === reason) return ready.message
  throw new Error(JSON.stringify((object.status as Status | undefined)?.conditions))
}

/** One condition of a status. */
export function conditionOf(object: KubeObject, type: string) {
  return ((object.status ?? {}) as Status).conditions?.find((condition) => condition.type === type)
}

async function waitIdle({ processes }: Parts): Promise<void> {
  let before = ''
  await waitFor(
    'no service has work left',
    async () => {
      const counts: number[] = []
      for (const { name, metric } of processes) {
        const waiting = await metric('workqueue_depth')
        const running = await metric('workqueue_longest_running_processor_seconds')
        const events = await metric('setpoint_events_waiting')
        if (waiting > 0 || running > 0 || events > 0)
          throw new Error(`${name}: ${waiting} wait, one runs for ${running} s, ${events} Events wait`)
        counts.push(await metric('workqueue_finished_total'))
      }
      // Twice the same, so that nothing was on its way from one service to the next.
      const now = counts.join()
      const settled = now === before
      before = now
      return settled
    },
    { intervalMs: 500 },
  )
}

/** Adds what the services said last to an error. */
function withLogs({ processes }: Pick<Parts, 'processes'>): (error: Error) => never {
  return (error) => {
    const logs = processes.map(({ name, replica, logs }) => `--- ${replica || name}\n${logs().slice(-2_000)}`)
    throw new Error([error.message, ...logs].join('\n'), { cause: error })
  }
}
