import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bus, connectBus } from '@setpoint/bus'
import { connectKube, type KubeClient } from '@setpoint/kube'
import {
  type Child,
  type ControlPlane,
  type NatsServer,
  startChild,
  startControlPlane,
  startNats,
  waitFor,
} from '@setpoint/testkit'
import type { Narrator } from './narrator.ts'

/** A Kubernetes cluster with Setpoint running against it. */
export interface Cluster extends AsyncDisposable {
  plane: ControlPlane
  kube: KubeClient
  setpoint: Child
  /** Says on the bus that the fleet repository changed, as a webhook receiver would. */
  hint(): void
  /** Says on the bus that an image was pushed, as a webhook receiver would. */
  hintImage(): void
  /** Nothing is stopped in an orderly way: every process is killed and every store is gone. */
  destroy(): Promise<void>
}

/** Where the fleet's Kustomizations are, as in a fleet that Flux's bootstrap made; the CLIs look there first. */
export const namespace = 'flux-system'

const cli = join(import.meta.dirname, '..', 'packages', 'cli', 'src', 'main.ts')
const UP_TIMEOUT_MS = 90_000

/** Starts a control plane, NATS and `setpoint up`, and returns when all of it is ready. */
export async function startCluster(directory: string, narrator: Narrator): Promise<Cluster> {
  await mkdir(directory)
  const stack = new AsyncDisposableStack()
  try {
    const plane = stack.use(
      await timed(
        narrator,
        'a control plane: kube-apiserver, etcd, controllers, scheduler, two kwok nodes',
        () => startControlPlane({ controllers: true, dataDir: join(directory, 'control-plane') }),
      ),
    )
    const nats = stack.use(await timed(narrator, 'nats-server with JetStream', () => startNats()))
    const kube = stack.use(await connectKube({ kubeconfig: plane.kubeconfig }))
    const setpoint = await timed(narrator, 'setpoint up: all four services are ready', () =>
      startSetpoint(directory, plane, nats),
    )
    stack.defer(async () => void (await setpoint.stop(15_000)))
    const bus = await connectBus({ url: nats.url, producer: 'demo', log: silent, now: Date.now })
    stack.defer(() => bus[Symbol.asyncDispose]())
    return cluster({ plane, nats, kube, setpoint, bus, stack })
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

function cluster({
  plane,
  nats,
  kube,
  setpoint,
  bus,
  stack,
}: {
  plane: ControlPlane
  nats: NatsServer
  kube: KubeClient
  setpoint: Child
  bus: Bus
  stack: AsyncDisposableStack
}): Cluster {
  const dispose = () => stack.disposeAsync()
  return {
    plane,
    kube,
    setpoint,
    hint: () => bus.hint({ kind: 'GitRepository', namespace, name: 'fleet' }, { requestedBy: 'demo' }),
    hintImage: () =>
      bus.hint({ kind: 'ImageRepository', namespace, name: 'podinfo' }, { requestedBy: 'demo' }),
    async destroy() {
      await setpoint.kill()
      await nats.kill()
      await dispose()
    },
    [Symbol.asyncDispose]: dispose,
  }
}

/** `setpoint up` says on one line of JSON that everything is ready. */
async function startSetpoint(directory: string, plane: ControlPlane, nats: NatsServer): Promise<Child> {
  const child = await startChild(
    'setpoint',
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      cli,
      'up',
      `--kubeconfig=${plane.kubeconfig}`,
      `--nats=${nats.url}`,
      `--data=${join(directory, 'setpoint')}`,
      `--log-dir=${join(directory, 'logs')}`,
      '--output=json',
    ],
    { logFile: join(directory, 'setpoint.log') },
  )
  const ended = child.exited.then(({ code }) => {
    throw new Error(`setpoint up ended with exit code ${code}:\n${child.logs()}`)
  })
  ended.catch(() => undefined)
  const ready = waitFor('setpoint up is ready', () => /^\{.*"services"/m.test(child.logs()), {
    timeoutMs: UP_TIMEOUT_MS,
  })
  ready.catch(() => undefined)
  try {
    await Promise.race([ready, ended])
    return child
  } catch (error) {
    const log = child.logs()
    await child.stop(15_000)
    throw new Error(`${error instanceof Error ? error.message : error}\n${log}`, { cause: error })
  }
}

async function timed<T>(narrator: Narrator, what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await work()
  narrator.verified(what, performance.now() - start)
  return result
}

const silent = { info: () => undefined, warn: () => undefined }
