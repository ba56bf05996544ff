import { createHash, randomBytes } from 'node:crypto'
import {
  changesBetween,
  decodeSnapshot,
  encodeDelta,
  encodePack,
  encodeSnapshot,
  type FileContents,
  type PackRef,
  storedPack,
  type TreeFile,
  treeDigest,
} from '@setpoint/artifact'
import { type Bus, connectBus, newTraceId } from '@setpoint/bus'
import {
  type ArtifactTree,
  artifactMessage,
  KUSTOMIZATION,
  type Kustomization,
  type KustomizationSpec,
  REQUESTED_AT_ANNOTATION,
  type RenderedMessage,
  renderedMessage,
  subjects,
  unseal,
} from '@setpoint/contracts'
import { connectKube, type KubeClient } from '@setpoint/kube'
import { type KubeObject, parseJson } from '@setpoint/manifest'
import {
  type NatsServer,
  type ServiceProcess,
  type SharedCluster,
  sharedCluster,
  spawnService,
  startNats,
  startService,
  testNamespace,
  waitFor,
} from '@setpoint/testkit'

/** A label that keeps the Kustomizations of one test file away from other services on the same cluster. */
const SHARD_LABEL = 'sharding.fluxcd.io/key'
const REPOSITORY = 'fleet'

/** Path → text; a symlink names its target. */
export type Files = Record<string, string | { symlink: string }>

export interface Setup extends AsyncDisposable {
  cluster: SharedCluster
  kube: KubeClient
  nats: NatsServer
  bus: Bus
  namespace: string
  /** Does what the source service does: says what the repository holds now. Later calls send a delta. */
  push(files: Files, revision: string): Promise<void>
  /** Says the last push again, as the source service does when NATS lost its state. */
  pushAgain(): Promise<void>
  /** Says that the repository is gone. */
  removeSource(): Promise<void>
  create(name: string, spec?: Partial<KustomizationSpec>): Promise<Kustomization>
  patchSpec(name: string, spec: object): Promise<void>
  /** Sets the annotation that asks for a reconciliation. */
  request(name: string, at: string): Promise<void>
  delete(name: string): Promise<void>
  last(name: string): Promise<RenderedMessage | undefined>
  /** Waits for a message that holds, and returns it. */
  until(name: string, what: string, holds: (message: RenderedMessage) => boolean): Promise<RenderedMessage>
  /** Waits until a revision was rendered well. */
  untilRendered(name: string, revision: string): Promise<RenderedMessage>
  untilProblem(name: string, reason: string): Promise<string>
  /** Opens the set of a message. */
  objects(message: RenderedMessage): Promise<KubeObject[]>
  /** Sum of a metric over all series with the labels. */
  metric(name: string, labels?: Record<string, string>): Promise<number>
  /** Messages of a stream, since the stream was made. */
  publishedCount(): Promise<number>
  untilBusIsBack(): Promise<void>
  service: ServiceProcess
  /** Another replica with the same flags, which goes with the setup. */
  startReplica(name: string, natsUrl?: string): Promise<ServiceProcess>
}

export interface SetupOptions {
  /** Environment of the process. */
  env?: Record<string, string>
  /** Its name among several, which share the work. */
  replica?: string
}

/** A real NATS, the real render process, and a namespace of its own on the shared control plane. */
export async function startSetup(flags: string[] = [], options: SetupOptions = {}): Promise<Setup> {
  const stack = new AsyncDisposableStack()
  try {
    return await assemble(stack, flags, options)
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function assemble(
  stack: AsyncDisposableStack,
  flags: string[],
  { replica, env = {} }: SetupOptions,
): Promise<Setup> {
  const cluster = await sharedCluster()
  const kube = stack.use(await connectKube({ kubeconfig: cluster.kubeconfig }))
  const namespace = stack.use(await testNamespace(cluster)).name
  const nats = stack.use(await startNats())
  const log = { info() {}, warn() {} }
  const bus = stack.use(await connectBus({ url: nats.url, producer: 'test', log, now: Date.now }))
  const key = randomBytes(32)
  await kube.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name: 'sealing-key' },
    data: { key: key.toString('base64') },
  })
  await createRepository(kube, namespace)
  const start = async (replica: string | undefined, natsUrl: string) => {
    const args = [
      `--kubeconfig=${cluster.kubeconfig}`,
      `--nats-url=${natsUrl}`,
      `--sealing-key-secret=${namespace}/sealing-key`,
      `--watch-label-selector=${SHARD_LABEL}=${namespace}`,
      ...(replica === undefined ? [] : [`--lease-namespace=${namespace}`, `--replica-name=${replica}`]),
      ...flags,
    ]
    const spawn = (all: string[]) => spawnService('kustomize-render', { args: all, env })
    return stack.use(await startService('kustomize-render', args, spawn))
  }
  const service = await start(replica, nats.url)
  const producer = new Producer(bus, namespace)

  const last = async (name: string) =>
    (await bus.last(renderedMessage, subjects.rendered({ namespace, name })))?.data
  const until = (name: string, what: string, holds: (message: RenderedMessage) => boolean) =>
    waitFor(`${name} ${what}`, async () => {
      const message = await last(name)
      if (message !== undefined && holds(message)) return message
      throw new Error(`last message: ${JSON.stringify(message)}`)
    })
  return {
    cluster,
    kube,
    nats,
    bus,
    namespace,
    push: (files, revision) => producer.push(files, revision),
    pushAgain: () => producer.pushAgain(),
    removeSource: () => producer.remove(),
    create: async (name, spec = {}) =>
      (await kube.create({
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        metadata: { namespace, name, labels: { [SHARD_LABEL]: namespace } },
        spec: {
          interval: '10m',
          prune: true,
          path: `./${name}`,
          sourceRef: { kind: 'GitRepository', name: REPOSITORY },
          ...spec,
        },
      })) as Kustomization,
    patchSpec: async (name, spec) => {
      await kube.mergePatch(KUSTOMIZATION, { namespace, name }, { spec })
    },
    request: async (name, at) => {
      const metadata = { annotations: { [REQUESTED_AT_ANNOTATION]: at } }
      await kube.mergePatch(KUSTOMIZATION, { namespace, name }, { metadata })
    },
    delete: async (name) => {
      await kube.delete(KUSTOMIZATION, { namespace, name })
    },
    last,
    until,
    untilRendered: (name, revision) =>
      until(name, `is rendered at ${revision}`, (message) => message.revision === revision && !!message.set),
    untilProblem: async (name, reason) => {
      const message = await until(name, `reports ${reason}`, ({ problem }) => problem?.reason === reason)
      return message.problem?.message ?? ''
    },
    objects: async ({ set, name }) => {
      if (set === undefined) throw new Error('the message has no set')
      const sealed = await bus.bytes.get('setpoint-rendered', set.sealed)
      const plain = Buffer.from(unseal(key, sealed, `${namespace}/${name}`))
      if (set.digest !== sha256(plain)) throw new Error('the digest is not that of the set')
      return (parseJson(plain.toString()) as unknown as { objects: KubeObject[] }).objects
    },
    metric: service.metric,
    publishedCount: () => service.metric('setpoint_bus_published_messages_total', { type: 'rendered' }),
    untilBusIsBack: async () => {
      await waitFor('NATS is back', () => bus.flush().then(() => true))
    },
    service,
    startReplica: (name, natsUrl = nats.url) => start(name, natsUrl),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** A GitRepository whose artifact is stored, as the source service leaves it. */
async function createRepository(kube: KubeClient, namespace: string): Promise<void> {
  await kube.create({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { namespace, name: REPOSITORY },
    spec: { url: 'https://git.example.com/fleet.git', interval: '10m' },
  })
}

/** What the source service says on the bus. */
class Producer {
  private readonly bus: Bus
  private readonly namespace: string
  private base: Map<string, FileContents> | undefined
  private current: { files: Map<string, FileContents>; revision: string } | undefined

  constructor(bus: Bus, namespace: string) {
    this.bus = bus
    this.namespace = namespace
  }

  async push(files: Files, revision: string): Promise<void> {
    const contents = new Map(Object.entries(files).map(([path, file]) => [path, contentsOf(path, file)]))
    this.base ??= contents
    this.current = { files: contents, revision }
    await this.pushAgain()
  }

  async pushAgain(): Promise<void> {
    if (this.current === undefined) throw new Error('nothing was pushed yet')
    const { files, revision } = this.current
    const listing = listingOf(files)
    const tree = { digest: treeDigest(listing.values()), files: files.size, ...(await this.stored(files)) }
    await this.publish(revision, tree)
  }

  remove(): Promise<void> {
    return this.publish('', undefined)
  }

  private async stored(files: Map<string, FileContents>): Promise<Pick<ArtifactTree, 'snapshot' | 'delta'>> {
    const base = this.base ?? files
    const pack = await this.packOf(base)
    const bytes = encodeSnapshot(listingOf(base).values(), () => pack)
    const name = `tree/${sha256(bytes).slice(7)}`
    const snapshot = await this.bus.bytes.put('setpoint-artifact', name, bytes)
    if (base === files) return { snapshot }
    const carried = new Map([...files.values()].map(({ file, content }) => [file.blobId, content]))
    const decoded = decodeSnapshot(bytes)
    const changes = changesBetween(decoded.files, listingOf(files))
    const delta = encodeDelta(decoded, changes, { carried, packOf: () => undefined })
    const inline = Buffer.from(delta).toString('base64')
    return { snapshot, delta: { digest: sha256(delta), size: delta.length, inline } }
  }

  private async packOf(files: Map<string, FileContents>): Promise<PackRef> {
    const blobs = new Map([...files.values()].map(({ file, content }) => [file.blobId, content]))
    const bytes = encodePack(blobs)
    const pack = { digest: sha256(bytes), size: bytes.length, rawBytes: 0 }
    await this.bus.bytes.put('setpoint-artifact', storedPack(pack).object ?? '', bytes)
    return pack
  }

  private publish(revision: string, tree: ArtifactTree | undefined): Promise<void> {
    const source = { kind: 'GitRepository', namespace: this.namespace, name: REPOSITORY }
    return this.bus.publish(
      artifactMessage,
      subjects.artifact(source),
      { ...source, uid: 'test', revision, url: '', ...(tree === undefined ? {} : { tree }) },
      { traceId: newTraceId() },
    )
  }
}

function contentsOf(path: string, file: Files[string]): FileContents {
  const content = Buffer.from(typeof file === 'string' ? file : file.symlink)
  const blobId = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
  return {
    file: { path, blobId, mode: typeof file === 'string' ? '100644' : '120000', size: content.length },
    content,
  }
}

function listingOf(files: Map<string, FileContents>): Map<string, TreeFile> {
  return new Map([...files].map(([path, { file }]) => [path, file]))
}

/** A directory with one ConfigMap and a kustomization that names it. */
export function app(name: string, value = 'value'): Files {
  return {
    [`${name}/kustomization.yaml`]: 'resources:\n- config.yaml\n',
    [`${name}/config.yaml`]: configMap(name, value),
  }
}

export function configMap(name: string, value = 'value'): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  key: ${value}\n`
}

/** What the ConfigMaps of these tests hold. */
export function dataOf(object: KubeObject | undefined): string | undefined {
  return (object?.data as Record<string, string> | undefined)?.key
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
