import { createHash, randomBytes } from 'node:crypto'
import { connectBus, newTraceId } from '@setpoint/bus'
import {
  KUSTOMIZATION,
  type Kustomization,
  type KustomizationSpec,
  type OutcomeMessage,
  outcomeMessage,
  REQUESTED_AT_ANNOTATION,
  type RenderProblem,
  renderedMessage,
  seal,
  sealedSetName,
  subjects,
} from '@setpoint/contracts'
import { connectKube, type KubeClient, NoMatchError } from '@setpoint/kube'
import { type KubeObject, stringifyJson } from '@setpoint/manifest'
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

export interface Rendered {
  revision?: string
  problem?: RenderProblem
  /** Name of the GitRepository that it was built from; one of its own when it is not given. */
  source?: string
  /** How many objects the message announces; as many as there are when it is not given. */
  announced?: number
}

export interface Setup extends AsyncDisposable {
  cluster: SharedCluster
  kube: KubeClient
  nats: NatsServer
  namespace: string
  /** Creates a Kustomization of the namespace. */
  create(name: string, spec?: Partial<KustomizationSpec>): Promise<Kustomization>
  get(name: string): Promise<Kustomization>
  /** Does what the render service does: says what the Kustomization stands for, at its present generation. */
  render(name: string, objects: KubeObject[], rendered?: Rendered): Promise<void>
  /** Creates, renders and waits for Ready. */
  sync(name: string, objects: KubeObject[], spec?: Partial<KustomizationSpec>): Promise<Kustomization>
  patchSpec(name: string, spec: Partial<KustomizationSpec>): Promise<void>
  /** Sets the annotation that asks for a reconciliation. */
  request(name: string, at: string): Promise<void>
  /** Sets annotations of a Kustomization; null takes one away. */
  annotate(name: string, annotations: Record<string, string | null>): Promise<void>
  /** Waits until a condition is there, or gone when status is undefined. */
  untilCondition(name: string, type: string, status: string | undefined): Promise<Kustomization>
  /** Deletes a Kustomization and waits until it is gone. */
  delete(name: string): Promise<void>
  /** The core/v1 Events of a Kustomization. */
  /** Waits for an event, which may be written after what it tells of. */
  untilEvent(
    name: string,
    tells: (event: { reason: string; message: string }) => boolean,
  ): Promise<{ type: string; message: string }>
  events(name: string): Promise<{ type: string; reason: string; message: string }[]>
  /** Prints a measured figure. */
  report(line: string): void
  /** Waits until Ready has a status and, when given, a reason. */
  untilReady(name: string, status: 'True' | 'False' | 'Unknown', reason?: string): Promise<Kustomization>
  /** Waits until Ready says this: what it says may change while the service learns of the other Kustomizations. */
  untilReadySays(name: string, message: string): Promise<Kustomization>
  untilHealthy(name: string, status: string): Promise<Kustomization>
  /** Waits until a revision was applied. */
  untilApplied(name: string, revision: string): Promise<Kustomization>
  outcome(name: string): Promise<OutcomeMessage | undefined>
  /** A live object, or undefined. */
  live(object: KubeObject): Promise<KubeObject | undefined>
  /** Sum of a metric over all series with the labels. */
  metric(name: string, labels?: Record<string, string>): Promise<number>
  /** Requests to the API server that write, since the start of the process. */
  writes(): Promise<number>
  untilBusIsBack(): Promise<void>
  /** Waits until the service has nothing to do. */
  untilQuiet(): Promise<void>
  service: ServiceProcess
  /** Another replica with the same flags, which goes with the setup. */
  startReplica(options: SetupOptions & { replica: string }): Promise<ServiceProcess>
}

export interface SetupOptions {
  /** How the service reaches the API server, if not as the test does. */
  serviceKubeconfig?: string
  /** How the service reaches NATS, if not as the test does. */
  natsUrl?: string
  /** Its name among several, which share the work. */
  replica?: string
  /** Flags of the Node that runs the service. */
  nodeArgs?: string[]
  /** Environment of the process. */
  env?: Record<string, string>
}

/** A real NATS, the real apply process, and a namespace of its own on the shared control plane. */
export async function startSetup(flags: readonly string[] = [], options: SetupOptions = {}): Promise<Setup> {
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
  flags: readonly string[],
  options: SetupOptions,
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
  const start = async ({ replica, serviceKubeconfig, natsUrl, nodeArgs = [], env = {} }: SetupOptions) =>
    stack.use(
      await startService(
        'apply',
        [
          `--kubeconfig=${serviceKubeconfig ?? cluster.kubeconfig}`,
          `--nats-url=${natsUrl ?? nats.url}`,
          `--sealing-key-secret=${namespace}/sealing-key`,
          `--watch-label-selector=${SHARD_LABEL}=${namespace}`,
          ...(replica === undefined ? [] : [`--lease-namespace=${namespace}`, `--replica-name=${replica}`]),
          ...flags,
        ],
        (args) => spawnService('apply', { args, nodeArgs, env }),
      ),
    )
  const service = await start(options)

  const get = async (name: string) => {
    const found = await kube.get(KUSTOMIZATION, { namespace, name })
    if (found === undefined) throw new Error(`Kustomization ${name} does not exist`)
    return found as Kustomization
  }
  const create = async (name: string, spec: Partial<KustomizationSpec> = {}) =>
    (await kube.create({
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { namespace, name, labels: { [SHARD_LABEL]: namespace } },
      spec: {
        interval: '10m',
        prune: true,
        path: './',
        sourceRef: { kind: 'GitRepository', name: 'fleet' },
        ...spec,
      },
    })) as Kustomization
  const render = async (name: string, objects: KubeObject[], rendered: Rendered = {}) => {
    const { metadata } = await get(name)
    const context = `${namespace}/${name}`
    const plain = Buffer.from(
      stringifyJson({ objects: objects.map((object) => owned(object, namespace, name)) }),
    )
    const digest = `sha256:${createHash('sha256').update(plain).digest('hex')}`
    const sealed = await bus.bytes.put(
      'setpoint-rendered',
      sealedSetName(key, context, digest),
      seal(key, plain, context),
    )
    const { revision = `main@sha1:${digest.slice(7, 47)}`, problem, announced = objects.length } = rendered
    await bus.publish(
      renderedMessage,
      subjects.rendered({ namespace, name }),
      {
        namespace,
        name,
        uid: metadata.uid ?? '',
        generation: metadata.generation ?? 0,
        requestedAt: metadata.annotations?.[REQUESTED_AT_ANNOTATION] ?? '',
        source: { kind: 'GitRepository', namespace, name: rendered.source ?? name },
        revision,
        ...(problem === undefined ? { set: { digest, objects: announced, sealed } } : { problem }),
      },
      { traceId: newTraceId() },
    )
  }
  const until = (name: string, what: string, holds: (kustomization: Kustomization) => boolean) =>
    waitFor(`${name} ${what}`, async () => {
      const found = await get(name)
      if (holds(found)) return found
      throw new Error(JSON.stringify(found.status?.conditions))
    })
  const untilReady = (name: string, status: string, reason?: string) =>
    until(name, `is Ready=${status} ${reason ?? ''}`, (kustomization) => {
      const ready = conditionOf(kustomization, 'Ready')
      return ready?.status === status && (reason === undefined || ready.reason === reason)
    })
  const { metric } = service
  const events = async (name: string) => {
    const events = await kube.list(
      { group: '', version: 'v1', kind: 'Event' },
      { namespace, fieldSelector: `involvedObject.name=${name}` },
    )
    return events as unknown as { type: string; reason: string; message: string }[]
  }
  return {
    cluster,
    kube,
    nats,
    namespace,
    create,
    get,
    render,
    untilReady,
    sync: async (name, objects, spec) => {
      await create(name, spec)
      await render(name, objects)
      return untilReady(name, 'True')
    },
    untilReadySays: (name, message) =>
      until(
        name,
        `says: ${message}`,
        (kustomization) => conditionOf(kustomization, 'Ready')?.message === message,
      ),
    untilHealthy: (name, status) =>
      until(
        name,
        `is Healthy=${status}`,
        (kustomization) => conditionOf(kustomization, 'Healthy')?.status === status,
      ),
    untilApplied: (name, revision) =>
      until(name, `has applied ${revision}`, ({ status }) => status?.lastAppliedRevision === revision),
    patchSpec: async (name, spec) => {
      await kube.mergePatch(KUSTOMIZATION, { namespace, name }, { spec })
    },
    request: async (name, at) => {
      const metadata = { annotations: { [REQUESTED_AT_ANNOTATION]: at } }
      await kube.mergePatch(KUSTOMIZATION, { namespace, name }, { metadata })
    },
    annotate: async (name, annotations) => {
      await kube.mergePatch(KUSTOMIZATION, { namespace, name }, { metadata: { annotations } })
    },
    untilCondition: (name, type, status) =>
      until(
        name,
        `has ${type}=${status}`,
        (kustomization) => conditionOf(kustomization, type)?.status === status,
      ),
    delete: async (name) => {
      await kube.delete(KUSTOMIZATION, { namespace, name })
      await waitFor(
        `${name} is gone`,
        async () => (await kube.get(KUSTOMIZATION, { namespace, name })) === undefined,
      )
    },
    events,
    untilEvent: (name, tells) =>
      waitFor(`an event about ${name}`, async () => (await events(name)).find(tells)),
    report: (line) => process.stdout.write(`${line}\n`),
    outcome: async (name) => (await bus.last(outcomeMessage, subjects.outcome({ namespace, name })))?.data,
    live: async ({ apiVersion, kind, metadata }) => {
      const [version, group] = apiVersion.split('/').reverse()
      const read = () => kube.get({ group: group ?? '', version, kind }, metadata)
      try {
        return await read()
      } catch (error) {
        if (!(error instanceof NoMatchError)) throw error
        // The service knows of a new kind before the test does.
        kube.invalidateDiscovery()
        return read()
      }
    },
    metric,
    writes: async () => {
      let writes = 0
      for (const verb of ['create', 'apply', 'patch', 'delete'])
        writes += await metric('setpoint_api_requests_total', { verb })
      return writes
    },
    untilQuiet: async () => {
      await waitFor(
        'the queue is empty',
        async () =>
          (await metric('workqueue_depth')) === 0 &&
          (await metric('gotk_reconcile_duration_seconds_count')) > 0,
      )
    },
    untilBusIsBack: async () => {
      await waitFor('NATS is back', () => bus.flush().then(() => true))
    },
    service,
    startReplica: start,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function owned(object: KubeObject, namespace: string, name: string): KubeObject {
  const labels = {
    ...object.metadata.labels,
    'kustomize.toolkit.fluxcd.io/name': name,
    'kustomize.toolkit.fluxcd.io/namespace': namespace,
  }
  return { ...object, metadata: { ...object.metadata, labels } }
}

export function conditionOf({ status }: Kustomization, type: string) {
  return status?.conditions?.find((condition) => condition.type === type)
}

export function configMap(namespace: string, name: string, data: Record<string, string> = { key: 'value' }) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data } satisfies KubeObject
}

/** What the ConfigMaps of these tests hold. */
export function dataOf(object: KubeObject | undefined): string | undefined {
  return (object?.data as Record<string, string> | undefined)?.key
}
