import { join } from 'node:path'
import { digestOf, TreeLoader } from '@setpoint/artifact'
import { type Bus, connectBus } from '@setpoint/bus'
import {
  type ArtifactMessage,
  artifactMessage,
  BUCKET,
  type Bucket,
  GIT_REPOSITORY,
  type GitRepository,
  OCI_REPOSITORY,
  type OCIRepository,
  REQUESTED_AT_ANNOTATION,
  type SourceObject,
  subjects,
} from '@setpoint/contracts'
import { connectKube, type KubeClient } from '@setpoint/kube'
import {
  type Child,
  freePort,
  type GitServer,
  type NatsServer,
  type ServiceProcess,
  sharedCluster,
  startGitServer,
  startNats,
  startService,
  temporaryDirectory,
  testNamespace,
  waitFor,
} from '@setpoint/testkit'
import { expect } from 'vitest'

type SourceGvk = typeof GIT_REPOSITORY | typeof OCI_REPOSITORY | typeof BUCKET

/** A label that keeps the sources of one test file away from other services on the same cluster. */
const SHARD_LABEL = 'sharding.fluxcd.io/key'

/** The process, where it serves archives, and where it keeps its files. */
export interface Service extends ServiceProcess {
  archives: string
  storage: string
}

export interface Setup<T extends SourceObject = GitRepository> extends AsyncDisposable {
  /** The same process and neighbours, for another kind of source. */
  of<U extends SourceObject>(gvk: SourceGvk, defaults: Partial<U['spec']>): Setup<U>
  kube: KubeClient
  nats: NatsServer
  git: GitServer
  bus: Bus
  namespace: string
  service: Service
  create(name: string, spec: Partial<T['spec']>): Promise<T>
  get(name: string): Promise<T>
  patchSpec(name: string, spec: object): Promise<void>
  /** Sets the annotation that asks for a reconciliation, and waits until it was handled. */
  request(name: string): Promise<T>
  /** Asks over NATS to look now. */
  hint(name: string): void
  until(
    name: string,
    what: string,
    holds: (object: T) => boolean,
    options?: { timeoutMs?: number },
  ): Promise<T>
  untilReady(name: string, status: 'True' | 'False', reason?: string): Promise<T>
  /** Waits until status.artifact is of a commit. */
  untilCommit(name: string, sha: string): Promise<T>
  message(name: string): Promise<ArtifactMessage | undefined>
  /** Fails unless status, bus and archives still say what they said of a Ready object: nobody has a reason to prune. */
  expectKept(good: T): Promise<void>
  /** The files of the last message, as a consumer that starts now reads them. */
  files(name: string): Promise<Record<string, string>>
  createSecret(name: string, data: Record<string, string>): Promise<void>
  /** Waits for an event, which may be written after what it tells of. */
  untilEvent(
    name: string,
    tells: (event: { reason: string; message: string }) => boolean,
  ): Promise<{ type: string; message: string }>
  events(name: string): Promise<{ type: string; reason: string; message: string }[]>
  /** Sum of a metric over all series with the labels. */
  metric(name: string, labels?: Record<string, string>): Promise<number>
  /** Another replica with the same flags, which goes with the setup. */
  startReplica(name: string): Promise<Service>
  /** Requests that the Git server has answered and bytes it sent, for one repository. */
  traffic(repository: string): { requests: number; fetches: number; sentBytes: number }
}

export interface SetupOptions {
  /** Further flags. */
  args?: string[]
  /** Its name among several, which share the work. */
  replica?: string
  /** A cluster of one's own, for tests that stop it. */
  kubeconfig?: string
  /** Starts the process in another way, such as on a small disk. */
  spawn?(args: string[], storage: string): Promise<Child>
}

/** A real NATS, a real Git server, the real source process, and a namespace of its own. */
export function startSetup(options: SetupOptions = {}): Promise<Setup> {
  return startSetupOf<GitRepository>(GIT_REPOSITORY, { ref: { branch: 'main' } }, options)
}

/** The same for OCIRepositories. */
export function startOciSetup(options: SetupOptions = {}): Promise<Setup<OCIRepository>> {
  return startSetupOf<OCIRepository>(OCI_REPOSITORY, { insecure: true }, options)
}

/** The same for Buckets. */
export function startBucketSetup(options: SetupOptions = {}): Promise<Setup<Bucket>> {
  return startSetupOf<Bucket>(BUCKET, { insecure: true }, options)
}

async function startSetupOf<T extends SourceObject>(
  gvk: SourceGvk,
  defaults: Partial<T['spec']>,
  options: SetupOptions,
): Promise<Setup<T>> {
  const stack = new AsyncDisposableStack()
  try {
    return await assemble<T>(stack, gvk, defaults, options)
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function assemble<T extends SourceObject>(
  stack: AsyncDisposableStack,
  gvk: SourceGvk,
  defaults: Partial<T['spec']>,
  options: SetupOptions,
): Promise<Setup<T>> {
  const kubeconfig = options.kubeconfig ?? (await sharedCluster()).kubeconfig
  const kube = stack.use(await connectKube({ kubeconfig }))
  const namespace =
    options.kubeconfig === undefined ? stack.use(await testNamespace(await sharedCluster())).name : 'default'
  const nats = stack.use(await startNats())
  const git = stack.use(await startGitServer())
  const log = { info() {}, warn() {} }
  const bus = stack.use(await connectBus({ url: nats.url, producer: 'test', log, now: Date.now }))
  const storage = stack.use(await temporaryDirectory('source')).path
  const given = { kubeconfig, natsUrl: nats.url, namespace, storage }
  const service = stack.use(await startSource(options, given))
  const startReplica: Setup['startReplica'] = async (replica) =>
    stack.use(await startSource({ ...options, replica }, given))
  return setupOf<T>(gvk, defaults, { stack, kube, nats, git, bus, namespace, service, startReplica })
}

type Parts = Pick<Setup, 'kube' | 'nats' | 'git' | 'bus' | 'namespace' | 'service' | 'startReplica'> & {
  stack: AsyncDisposableStack
}

function setupOf<T extends SourceObject>(
  gvk: SourceGvk,
  defaults: Partial<T['spec']>,
  parts: Parts,
): Setup<T> {
  const { stack, kube, nats, git, bus, namespace, service, startReplica } = parts
  const get = async (name: string) => {
    const found = await kube.get(gvk, { namespace, name })
    if (found === undefined) throw new Error(`${gvk.kind} ${name} does not exist`)
    return found as T
  }
  const until: Setup<T>['until'] = (name, what, holds, options) =>
    waitFor(
      `${name} ${what}`,
      async () => {
        const found = await get(name)
        if (holds(found)) return found
        throw new Error(JSON.stringify(found.status))
      },
      options,
    )
  const message = async (name: string) =>
    (await bus.last(artifactMessage, subjects.artifact({ kind: gvk.kind, namespace, name })))?.data
  const events = async (name: string) => {
    const selection = { namespace, fieldSelector: `involvedObject.name=${name}` }
    const events = await kube.list({ group: '', version: 'v1', kind: 'Event' }, selection)
    return events as unknown as { type: string; reason: string; message: string }[]
  }
  return {
    of: (other, otherDefaults) => setupOf(other, otherDefaults, parts),
    kube,
    nats,
    git,
    bus,
    namespace,
    service,
    get,
    until,
    message,
    create: async (name, spec) =>
      (await kube.create({
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: gvk.kind,
        metadata: { namespace, name, labels: { [SHARD_LABEL]: namespace } },
        spec: { interval: '10m', ...defaults, ...spec },
      })) as T,
    patchSpec: async (name, spec) => {
      await kube.mergePatch(gvk, { namespace, name }, { spec })
    },
    request: async (name) => {
      const at = crypto.randomUUID()
      const metadata = { annotations: { [REQUESTED_AT_ANNOTATION]: at } }
      await kube.mergePatch(gvk, { namespace, name }, { metadata })
      return until(name, 'has handled the request', ({ status }) => status?.lastHandledReconcileAt === at)
    },
    hint: (name) => bus.hint({ kind: gvk.kind, namespace, name }, { requestedBy: 'test' }),
    untilReady: (name, status, reason) =>
      until(name, `is Ready=${status} ${reason ?? ''}`, (repository) => {
        const ready = conditionOf(repository, 'Ready')
        return ready?.status === status && (reason === undefined || ready.reason === reason)
      }),
    untilCommit: (name, sha) =>
      until(name, `is at ${sha}`, ({ status }) => status?.artifact?.revision.endsWith(sha) === true),
    files: async (name) => readFiles(bus, await message(name)),
    expectKept: async ({ metadata: { name }, status: { artifact } = {} }) => {
      if (artifact === undefined) throw new Error(`${name} had no artifact`)
      expect((await get(name)).status?.artifact).toEqual(artifact)
      const said = await message(name)
      expect(said).toMatchObject({ revision: artifact.revision, tree: { digest: expect.any(String) } })
      expect(Object.keys(await readFiles(bus, said))).not.toEqual([])
      expect(await digestAt(artifact.url)).toBe(artifact.digest)
    },
    createSecret: async (name, data) => {
      await kube.create({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name }, stringData: data })
    },
    events,
    untilEvent: (name, tells) =>
      waitFor(`an event about ${name}`, async () => (await events(name)).find(tells)),
    startReplica,
    metric: service.metric,
    traffic: (repository) => trafficOf(git, repository),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function readFiles(bus: Bus, message: ArtifactMessage | undefined): Promise<Record<string, string>> {
  const tree = message?.tree
  if (tree === undefined) throw new Error('there is no artifact')
  const loader = new TreeLoader((stored) => bus.bytes.get('setpoint-artifact', stored))
  const files = await loader.load('one', tree)
  const texts = [...files.all()].map(({ file, content }) => [file.path, Buffer.from(content).toString()])
  return Object.fromEntries(texts.sort())
}

async function digestAt(url: string): Promise<string> {
  return digestOf(new Uint8Array(await (await fetch(url)).arrayBuffer()))
}

function trafficOf(git: GitServer, repository: string) {
  const own = git.requests.filter(({ path }) => path.startsWith(`/${repository}.git/`))
  return {
    requests: own.length,
    fetches: own.filter(({ method }) => method === 'POST').length,
    sentBytes: own.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
  }
}

async function startSource(
  options: SetupOptions,
  given: { kubeconfig: string; natsUrl: string; namespace: string; storage: string },
): Promise<Service> {
  const archives = `127.0.0.1:${await freePort()}`
  const { replica } = options
  const storage = join(given.storage, replica ?? 'storage')
  const args = [
    `--kubeconfig=${given.kubeconfig}`,
    `--nats-url=${given.natsUrl}`,
    `--storage-addr=${archives}`,
    `--storage-path=${storage}`,
    `--watch-label-selector=${SHARD_LABEL}=${given.namespace}`,
    ...(replica === undefined ? [] : [`--lease-namespace=${given.namespace}`, `--replica-name=${replica}`]),
    ...(options.args ?? []),
  ]
  const { spawn } = options
  const service = await startService('source', args, spawn && ((all) => spawn(all, given.storage)))
  return Object.assign(service, { storage, archives: `http://${archives}` })
}

export function conditionOf({ status }: SourceObject, type: string) {
  return status?.conditions?.find((condition) => condition.type === type)
}

export function readyMessage(object: SourceObject): string {
  return conditionOf(object, 'Ready')?.message ?? ''
}
