import { once } from 'node:events'
import { resolve } from 'node:path'
import type { KubeClient } from '@setpoint/kube'
import { claimData } from './claim-data.ts'
import { membersOf } from './members.ts'
import { choosePorts } from './ports.ts'
import { prepareCluster } from './prepare-cluster.ts'
import { allReady } from './readiness.ts'
import { ServiceSet } from './service-set.ts'
import { defaultDataDirectory, removeState, type UpState, writeState } from './state-file.ts'

/** What `setpoint up` was asked for. */
export interface UpOptions {
  kubeconfig: string | undefined
  context: string | undefined
  /** Without it a nats-server is started. */
  natsUrl: string | undefined
  namespace: string
  dataDirectory: string | undefined
  logDirectory: string | undefined
  httpBasePort: number | undefined
  /** Of each service whose work can be shared. */
  replicas: number
  /** Services as threads of this process. */
  singleProcess: boolean
  logLevel: string
}

/** Who watches `up`. */
export interface UpWatcher {
  /** Something for people to know. */
  tell(line: string): void
  /** A line of a part's log; part is `source`, `nats-server`, … */
  log(part: string, severity: 'info' | 'warning' | 'error', text: string): void
  /** Every service is ready, for the first time. */
  ready(state: UpState): void
}

/**
 * Runs the whole set until the signal aborts, then stops it.
 * @throws CommandError when another `up` runs for the cluster; KubeUnreachableError and KubeApiError at the start.
 */
export async function runUp(
  options: UpOptions,
  kube: KubeClient,
  watcher: UpWatcher,
  control: { signal: AbortSignal; now(): number },
): Promise<void> {
  const { signal } = control
  const dataDirectory = resolve(options.dataDirectory ?? defaultDataDirectory(kube.server))
  await claimData(dataDirectory)
  await prepareCluster(kube, options.namespace, watcher.tell)
  const members = membersOf(options.replicas)
  const ports = await choosePorts(members, options.httpBasePort)
  const set = new ServiceSet({
    options,
    dataDirectory,
    members,
    ports,
    server: kube.server,
    watcher,
    now: control.now,
  })
  let saved: Promise<void> = Promise.resolve()
  const save = () => {
    saved = saved
      .then(() => writeState(dataDirectory, set.state()))
      .catch((error) => watcher.tell(String(error)))
    return saved
  }
  try {
    await set.start(() => void save(), signal)
    if (await allReady(() => set.state(), signal, watcher.tell)) {
      await save()
      watcher.ready(set.state())
    }
    if (!signal.aborted) await once(signal, 'abort')
  } finally {
    watcher.tell('stopping')
    await set.stop()
    await saved
    await removeState(dataDirectory)
  }
}
