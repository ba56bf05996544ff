import { type Bus, connectBus } from '@setpoint/bus'
import { connectKube, type KubeClient } from '@setpoint/kube'
import {
  type BinaryName,
  type ControlPlane,
  ensureBinaries,
  type GitServer,
  type NatsServer,
  startControlPlane,
  startGitServer,
  startNats,
} from '@setpoint/testkit'

/** What a bench needs whatever it measures, and ways to it. */
export interface Cluster {
  plane: ControlPlane
  /** A ServiceAccount with a token, as in a cluster. A client certificate is verified anew for each request. */
  kubeconfig: string
  git: GitServer
  kube: KubeClient
}

/** The real parts that every bench of Setpoint's own needs. */
export interface Neighbours extends Cluster {
  nats: NatsServer
  bus: Bus
}

const MEASURED = { namespace: 'setpoint-system', name: 'setpoint' }

/** A real API server with etcd, NATS and a Git server on this machine; they are stopped with the stack. */
export async function startNeighbours(
  stack: AsyncDisposableStack,
  moreBinaries: readonly BinaryName[] = [],
): Promise<Neighbours> {
  const cluster = await startCluster(stack, ['nats-server', ...moreBinaries])
  return { ...cluster, ...(await startBus(stack)) }
}

/** A real API server with etcd, and a Git server. */
export async function startCluster(
  stack: AsyncDisposableStack,
  moreBinaries: readonly BinaryName[] = [],
): Promise<Cluster> {
  await ensureBinaries(['kube-apiserver', 'etcd', 'kubectl', ...moreBinaries], { log: console.log })
  const plane = stack.use(await startControlPlane({}))
  const kubeconfig = await plane.kubeconfigFor(MEASURED)
  const subject = `--serviceaccount=${MEASURED.namespace}:${MEASURED.name}`
  await plane.kubectl('create', 'clusterrolebinding', MEASURED.name, '--clusterrole=cluster-admin', subject)
  const git = stack.use(await startGitServer())
  const kube = stack.use(await connectKube({ kubeconfig, requestTimeoutMs: 120_000 }))
  return { plane, kubeconfig, git, kube }
}

/** NATS, and a connection to it. */
export async function startBus(stack: AsyncDisposableStack): Promise<{ nats: NatsServer; bus: Bus }> {
  const nats = stack.use(await startNats())
  const log = { info() {}, warn() {} }
  const bus = stack.use(await connectBus({ url: nats.url, producer: 'bench', log, now: Date.now }))
  return { nats, bus }
}

/** What is made with a stack; when that fails, what was started already is stopped. */
export async function withStack<T>(assemble: (stack: AsyncDisposableStack) => Promise<T>): Promise<T> {
  const stack = new AsyncDisposableStack()
  try {
    return await assemble(stack)
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}
