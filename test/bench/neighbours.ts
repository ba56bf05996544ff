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

/** The real parts that every bench needs, and ways to them. */
export interface Neighbours {
  plane: ControlPlane
  /** Of Setpoint: a ServiceAccount with a token, as in a cluster. A client certificate is verified anew for each request. */
  kubeconfig: string
  nats: NatsServer
  git: GitServer
  kube: KubeClient
  bus: Bus
}

const SETPOINT = { namespace: 'setpoint-system', name: 'setpoint' }

/** A real API server with etcd, NATS and a Git server on this machine; they are stopped with the stack. */
export async function startNeighbours(
  stack: AsyncDisposableStack,
  moreBinaries: readonly BinaryName[] = [],
): Promise<Neighbours> {
  const needed = ['kube-apiserver', 'etcd', 'kubectl', 'nats-server', ...moreBinaries] as const
  await ensureBinaries([...needed], { log: console.log })
  const plane = stack.use(await startControlPlane({}))
  const kubeconfig = await plane.kubeconfigFor(SETPOINT)
  const subject = `--serviceaccount=${SETPOINT.namespace}:${SETPOINT.name}`
  await plane.kubectl('create', 'clusterrolebinding', 'setpoint', '--clusterrole=cluster-admin', subject)
  const nats = stack.use(await startNats())
  const git = stack.use(await startGitServer())
  const kube = stack.use(await connectKube({ kubeconfig: plane.kubeconfig, requestTimeoutMs: 120_000 }))
  const log = { info() {}, warn() {} }
  const bus = stack.use(await connectBus({ url: nats.url, producer: 'bench', log, now: Date.now }))
  return { plane, kubeconfig, nats, git, kube, bus }
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
