import { type Bus, connectBus } from '@setpoint/bus'
import {
  GIT_REPOSITORY,
  IMAGE_POLICY,
  IMAGE_REPOSITORY,
  IMAGE_UPDATE_AUTOMATION,
  type ImagePolicy,
  type ImagePolicySpec,
  type ImageRepository,
  type ImageRepositorySpec,
  type ImageUpdateAutomation,
  type ImageUpdateAutomationSpec,
  REQUESTED_AT_ANNOTATION,
} from '@setpoint/contracts'
import { connectKube, type KubeClient } from '@setpoint/kube'
import {
  type ControlPlane,
  type GitRepo,
  type GitServer,
  git,
  type NatsServer,
  type RegistryServer,
  type ServiceProcess,
  sharedCluster,
  spawnService,
  startGitServer,
  startNats,
  startRegistry,
  startService,
  temporaryDirectory,
  testNamespace,
  waitFor,
} from '@setpoint/testkit'

/** A label that keeps the objects of one test file away from other services on the same cluster. */
const SHARD_LABEL = 'sharding.fluxcd.io/key'

interface Kinds {
  ImageRepository: { object: ImageRepository; spec: ImageRepositorySpec }
  ImagePolicy: { object: ImagePolicy; spec: ImagePolicySpec }
  ImageUpdateAutomation: { object: ImageUpdateAutomation; spec: ImageUpdateAutomationSpec }
}
type Kind = keyof Kinds

const gvks = {
  ImageRepository: IMAGE_REPOSITORY,
  ImagePolicy: IMAGE_POLICY,
  ImageUpdateAutomation: IMAGE_UPDATE_AUTOMATION,
}

export interface Setup extends AsyncDisposable {
  kube: KubeClient
  bus: Bus
  nats: NatsServer
  git: GitServer
  registry: RegistryServer
  namespace: string
  service: ServiceProcess
  /** One more process of the service, with storage of its own. */
  startReplica(name: string): Promise<ServiceProcess>
  create<K extends Kind>(kind: K, name: string, spec: Kinds[K]['spec']): Promise<void>
  get<K extends Kind>(kind: K, name: string): Promise<Kinds[K]['object']>
  patch(kind: Kind, name: string, spec: object): Promise<void>
  /** Sets the annotation that asks for a reconciliation, and waits until it was handled. */
  request(kind: Kind, name: string): Promise<void>
  hint(kind: Kind, name: string): void
  until<K extends Kind>(
    kind: K,
    name: string,
    what: string,
    holds: (object: Kinds[K]['object']) => boolean,
  ): Promise<Kinds[K]['object']>
  untilReady<K extends Kind>(
    kind: K,
    name: string,
    status: 'True' | 'False',
    reason?: string,
  ): Promise<Kinds[K]['object']>
  remove(kind: Kind, name: string): Promise<void>
  /** For objects that a test makes itself. */
  labels: Record<string, string>
  kubectl: ControlPlane['kubectl']
  readyReason(kind: Kind, key: { namespace: string; name: string }): Promise<string | undefined>
  readyMessage(kind: Kind, key: { namespace: string; name: string }): Promise<string | undefined>
  patchSource(name: string, spec: object): Promise<void>
  createSecret(name: string, data: Record<string, string>): Promise<void>
  events(name: string): Promise<{ type: string; reason: string; message: string }[]>
  /** A repository with these files, its GitRepository, an ImageRepository, ImagePolicy and ImageUpdateAutomation. */
  circle(name: string, options?: CircleOptions): Promise<GitRepo>
  /** A file of a branch, as Git has it. */
  file(repo: GitRepo, path: string, branch?: string): Promise<string>
  commits(repo: GitRepo, branch?: string): Promise<number>
}

export interface CircleOptions {
  files?: Record<string, string>
  range?: string
  policy?: Partial<ImagePolicySpec>
  git?: Partial<NonNullable<ImageUpdateAutomationSpec['git']>>
  automation?: Partial<ImageUpdateAutomationSpec>
  repo?: GitRepo
  /** More of the spec of the GitRepository. */
  source?: object
  /** More of the spec of the ImageRepository. */
  repository?: Partial<ImageRepositorySpec>
}

export interface SetupOptions {
  args?: string[]
  env?: Record<string, string>
  /** Flags of Node itself. */
  nodeArgs?: string[]
  /** Its name among several, which share the work. */
  replica?: string
  /** Another cluster than the one that all tests share; the namespace is made in it. */
  cluster?: Pick<ControlPlane, 'kubeconfig' | 'kubectl'>
  /** Works with the same Git server and registry, in a namespace of the same name. */
  beside?: Setup
}

export const AUTHOR = { name: 'Setpoint', email: 'setpoint@example.com' }

/** A real NATS, Git server and registry, the real service, and a namespace of its own. */
export async function startSetup(options: SetupOptions = {}): Promise<Setup> {
  const stack = new AsyncDisposableStack()
  try {
    return await assemble(stack, options)
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function assemble(
  stack: AsyncDisposableStack,
  { args = [], env = {}, nodeArgs = [], beside, ...options }: SetupOptions,
): Promise<Setup> {
  const cluster = options.cluster ?? (await sharedCluster())
  const kube = stack.use(await connectKube({ kubeconfig: cluster.kubeconfig }))
  const namespace = beside?.namespace ?? stack.use(await testNamespace(cluster)).name
  if (beside !== undefined) await cluster.kubectl('create', 'namespace', namespace)
  const nats = stack.use(await startNats())
  const gitServer = beside?.git ?? stack.use(await startGitServer())
  const registry = beside?.registry ?? stack.use(await startRegistry())
  const log = { info() {}, warn() {} }
  const bus = stack.use(await connectBus({ url: nats.url, producer: 'test', log, now: Date.now }))
  const startReplica = async (given: string[]) => {
    const storage = stack.use(await temporaryDirectory('image-automation')).path
    const where = [`--kubeconfig=${cluster.kubeconfig}`, `--nats-url=${nats.url}`]
    const selector = `--watch-label-selector=${SHARD_LABEL}=${namespace}`
    const all = [...where, selector, `--storage-path=${storage}`, ...given, ...args]
    const spawn = (args: string[]) => spawnService('image-automation', { args, env, nodeArgs })
    return stack.use(await startService('image-automation', all, spawn))
  }
  const inReplicas = (name: string) => [`--lease-namespace=${namespace}`, `--replica-name=${name}`]
  const service = await startReplica(options.replica === undefined ? [] : inReplicas(options.replica))
  const get: Setup['get'] = async (kind, name) => {
    const found = await kube.get(gvks[kind], { namespace, name })
    if (found === undefined) throw new Error(`${kind} ${name} does not exist`)
    return found as Kinds[typeof kind]['object']
  }
  const until: Setup['until'] = (kind, name, what, holds) =>
    waitFor(`${kind} ${name} ${what}`, async () => {
      const found = await get(kind, name)
      if (holds(found)) return found
      throw new Error(`${JSON.stringify(found.status)}\n${service.child.logs().slice(-2000)}`)
    })
  const readyOf = async (kind: Kind, key: { namespace: string; name: string }) => {
    const found = (await kube.get(gvks[kind], key)) as ImagePolicy | undefined
    return found?.status?.conditions?.find(({ type }) => type === 'Ready')
  }
  const create: Setup['create'] = async (kind, name, spec) => {
    await kube.create({
      apiVersion: 'image.toolkit.fluxcd.io/v1',
      kind,
      metadata: { namespace, name, labels: { [SHARD_LABEL]: namespace } },
      spec,
    })
  }
  return {
    kube,
    bus,
    nats,
    git: gitServer,
    registry,
    namespace,
    service,
    startReplica: (name) => startReplica(inReplicas(name)),
    get,
    until,
    create,
    patch: async (kind, name, spec) => {
      await kube.mergePatch(gvks[kind], { namespace, name }, { spec })
    },
    request: async (kind, name) => {
      const at = crypto.randomUUID()
      const metadata = { annotations: { [REQUESTED_AT_ANNOTATION]: at } }
      await kube.mergePatch(gvks[kind], { namespace, name }, { metadata })
      await until(
        kind,
        name,
        'has handled the request',
        ({ status }) => status?.lastHandledReconcileAt === at,
      )
    },
    hint: (kind, name) => bus.hint({ kind, namespace, name }, { requestedBy: 'test' }),
    untilReady: (kind, name, status, reason) =>
      until(kind, name, `is Ready=${status} ${reason ?? ''}`, ({ status: found, metadata }) => {
        const ready = found?.conditions?.find(({ type }) => type === 'Ready')
        const isCurrent = ready?.observedGeneration === metadata.generation
        return isCurrent && ready?.status === status && (reason === undefined || ready.reason === reason)
      }),
    remove: async (kind, name) => {
      await kube.delete(gvks[kind], { namespace, name })
    },
    labels: { [SHARD_LABEL]: namespace },
    kubectl: cluster.kubectl,
    readyReason: async (kind, key) => (await readyOf(kind, key))?.reason,
    readyMessage: async (kind, key) => (await readyOf(kind, key))?.message,
    patchSource: async (name, spec) => {
      await kube.mergePatch(GIT_REPOSITORY, { namespace, name }, { spec })
    },
    createSecret: async (name, data) => {
      await kube.create({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name }, stringData: data })
    },
    events: async (name) => {
      const selection = { namespace, fieldSelector: `involvedObject.name=${name}` }
      const events = await kube.list({ group: '', version: 'v1', kind: 'Event' }, selection)
      return events as unknown as { type: string; reason: string; message: string }[]
    },
    circle: async (name, options = {}) => {
      const image = options.repository?.image ?? `${registry.host}/team/${name}`
      const repo = options.repo ?? (await gitServer.create(name))
      const marker = `# {"$imagepolicy": "${namespace}:${name}"}`
      const files = options.files ?? { 'app.yaml': `kind: Deployment\nimage: ${image}:0.0.1 ${marker}\n` }
      if (Object.keys(files).length > 0) await repo.commit(files)
      await kube.create({
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'GitRepository',
        metadata: { namespace, name, labels: { [SHARD_LABEL]: namespace } },
        spec: {
          interval: '10m',
          url: repo.url,
          ref: { branch: 'main' },
          ...options.source,
        },
      })
      await create('ImageRepository', name, {
        image,
        interval: '10m',
        insecure: true,
        ...options.repository,
      })
      await create('ImagePolicy', name, {
        imageRepositoryRef: { name },
        policy: { semver: { range: options.range ?? '*' } },
        ...options.policy,
      })
      await create('ImageUpdateAutomation', name, {
        sourceRef: { kind: 'GitRepository', name },
        interval: '10m',
        git: { commit: { author: AUTHOR }, ...options.git },
        ...options.automation,
      })
      return repo
    },
    file: (repo, path, branch = 'main') => git(['show', `${branch}:${path}`], { cwd: repo.dir }),
    commits: async (repo, branch = 'main') =>
      Number(await git(['rev-list', '--count', branch], { cwd: repo.dir })),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
