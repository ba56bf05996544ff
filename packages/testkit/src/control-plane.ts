import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureBinaries } from './binary.ts'
import type { Child } from './child.ts'
import { type ControlPlaneFiles, writeControlPlaneFiles } from './control-plane-files.ts'
import { nodesFile, startApiServer, startControllers, startEtcd } from './control-plane-processes.ts'
import { freePort } from './free-port.ts'
import { type Kubectl, kubectlFor, type ServiceAccountName, writeKubeconfigFor } from './kubectl.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { waitFor } from './wait-for.ts'

/** A running Kubernetes control plane on 127.0.0.1. */
export interface ControlPlane extends AsyncDisposable {
  /** The path of a kubeconfig of a cluster-admin. */
  kubeconfig: string
  url: string
  caFile: string
  /** With the option `audit`: every write that the API server has answered, one audit.k8s.io/v1 Event a line. */
  auditFile: string
  /** Everything it keeps; its processes' output is in `logs/`. */
  dataDir: string
  kubectl: Kubectl
  /** The path of a kubeconfig that speaks as a ServiceAccount, which is created when it is missing. */
  kubeconfigFor(serviceAccount: ServiceAccountName): Promise<string>
  /** Ends the API server at once; etcd and the data stay. */
  stopApiServer(): Promise<void>
  /** Starts the API server again on the same port. */
  startApiServer(): Promise<void>
  /** Process ids by program name. */
  readonly pids: Record<string, number>
}

export interface ControlPlaneOptions {
  /** Also the controllers, the scheduler and kwok with two fake nodes, so that Deployments roll out. */
  controllers?: boolean
  /** Also a record of every write and who made it: `auditFile`. */
  audit?: boolean
  /** Asked about tokens that are none of its own, by TokenReviews of authentication.k8s.io/v1. */
  tokenWebhook?: string
  /** Kept when the control plane is disposed of; a temporary directory when left out. */
  dataDir?: string
  port?: number
  log?(line: string): void
}

/** Starts etcd and kube-apiserver with RBAC, and returns when they are ready. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  await ensureBinaries(programs(options), options)
  const home = await temporaryDirectory('control-plane')
  const dataDir = options.dataDir ?? home.path
  await mkdir(dataDir, { recursive: true })
  const url = `https://127.0.0.1:${options.port ?? (await freePort())}`
  const files = await writeControlPlaneFiles(dataDir, url)
  const processes = new Processes()
  const plane = controlPlane({
    files,
    url,
    dataDir,
    processes,
    home,
    log: options.log,
    audit: options.audit ?? false,
    tokenWebhook: options.tokenWebhook,
  })
  try {
    await plane.startEtcd()
    await plane.startApiServer()
    if (options.controllers) await startNodes(plane, files, options)
    return plane
  } catch (error) {
    await plane[Symbol.asyncDispose]()
    throw error
  }
}

function programs({ controllers = false }: ControlPlaneOptions) {
  const always = ['etcd', 'kube-apiserver', 'kubectl'] as const
  return controllers ? ([...always, 'kube-controller-manager', 'kube-scheduler', 'kwok'] as const) : always
}

/** The running children by name. */
class Processes {
  private readonly children = new Map<string, Child>()

  add(child: Child): void {
    this.children.set(child.name, child)
  }

  async kill(name: string): Promise<void> {
    await this.children.get(name)?.kill()
    this.children.delete(name)
  }

  /** In reverse, so that nobody logs that its server is gone. */
  async killAll(): Promise<void> {
    for (const name of [...this.children.keys()].reverse()) await this.kill(name)
  }

  get pids(): Record<string, number> {
    return Object.fromEntries([...this.children].map(([name, { pid }]) => [name, pid]))
  }
}

interface Parts {
  files: ControlPlaneFiles
  url: string
  dataDir: string
  processes: Processes
  home: AsyncDisposable
  log: ((line: string) => void) | undefined
  audit: boolean
  tokenWebhook: string | undefined
}

interface Startable extends ControlPlane {
  startEtcd(): Promise<void>
  add(children: Child[]): void
}

function controlPlane({ files, url, dataDir, processes, home, log, audit, tokenWebhook }: Parts): Startable {
  const kubectl = kubectlFor(files.admin)
  let etcdUrl = ''
  return {
    kubeconfig: files.admin,
    url,
    caFile: files.caFile,
    auditFile: files.audit,
    dataDir,
    kubectl,
    get pids() {
      return processes.pids
    },
    kubeconfigFor: (serviceAccount) =>
      writeKubeconfigFor(serviceAccount, { kubectl, url, caFile: files.caFile, directory: dataDir }),
    stopApiServer: () => processes.kill('kube-apiserver'),
    async startEtcd() {
      const etcd = await startEtcd(files, log)
      etcdUrl = etcd.url
      processes.add(etcd.child)
    },
    async startApiServer() {
      processes.add(await startApiServer(files, { etcdUrl, url, log, audit, tokenWebhook }))
    },
    add(children) {
      for (const child of children) processes.add(child)
    },
    async [Symbol.asyncDispose]() {
      await processes.killAll()
      await home[Symbol.asyncDispose]()
    },
  }
}

async function startNodes(
  plane: Startable,
  files: ControlPlaneFiles,
  { log }: ControlPlaneOptions,
): Promise<void> {
  plane.add(await startControllers(files, log))
  await plane.kubectl('apply', '--server-side', '-f', nodesFile)
  await waitFor('both nodes and the default service account are there', async () => {
    const ready = await plane.kubectl('get', 'nodes', '-o', `jsonpath=${readyStatus}`)
    const accounts = await plane.kubectl('get', 'serviceaccounts', '-o', 'name')
    return ready.trim() === 'True True' && accounts.includes('serviceaccount/default')
  })
}

const readyStatus = '{.items[*].status.conditions[?(@.type=="Ready")].status}'

/** The log file of one of its processes. */
export function logFileOf(plane: Pick<ControlPlane, 'dataDir'>, name: string): string {
  return join(plane.dataDir, 'logs', `${name}.log`)
}
