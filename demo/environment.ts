import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  ensureBinaries,
  type GitRepo,
  type RegistryServer,
  startGitServer,
  startRegistry,
  startSshServer,
  temporaryDirectory,
} from '@setpoint/testkit'
import { type Cluster, startCluster } from './cluster.ts'
import type { Narrator } from './narrator.ts'
import { makeFleet, type WorkingCopy } from './working-copy.ts'

/** All that the story plays on. The Git server and the registry stay; the cluster can be lost. */
export interface Environment extends AsyncDisposable {
  /** Everything that the demo writes is below it. */
  home: string
  /** Of the present cluster; the path stays the same when the cluster is replaced. */
  kubeconfig: string
  repo: GitRepo
  /** How Setpoint reaches it. */
  remote: Remote
  /** Where images are pushed to. */
  registry: RegistryServer
  copy: WorkingCopy
  /** The id of the first commit. */
  first: string
  readonly cluster: Cluster
  /** Kills the cluster, its store, NATS and Setpoint, and starts new and empty ones. */
  replaceCluster(): Promise<void>
  /** Keep the files for study when it is disposed of. */
  keepFiles(): void
}

/** Where the repository is for Setpoint, and the Secret that it needs there. */
export interface Remote {
  url: string
  secret?: Record<string, string>
}

/** Installs what is missing and starts everything, with progress. */
export async function startEnvironment(narrator: Narrator, { ssh }: { ssh: boolean }): Promise<Environment> {
  await install(narrator)
  const stack = new AsyncDisposableStack()
  const home = await temporaryDirectory('demo')
  let keep = false
  stack.defer(() => (keep ? undefined : home[Symbol.asyncDispose]()))
  let cluster: Cluster | undefined
  stack.defer(() => cluster?.[Symbol.asyncDispose]())
  try {
    const onPush = () => cluster?.hint()
    const { repo, remote, copy, first } = await startFleet(stack, home.path, { ssh, onPush })
    const registry = stack.use(await startRegistry())
    const kubeconfig = join(home.path, 'kubeconfig')
    let count = 0
    const start = async () => {
      const directory = join(home.path, `cluster-${++count}`)
      cluster = await startCluster(directory, narrator)
      await copyFile(cluster.plane.kubeconfig, kubeconfig)
    }
    await start()
    return {
      home: home.path,
      kubeconfig,
      repo,
      remote,
      registry,
      copy,
      first,
      get cluster() {
        if (cluster === undefined) throw new Error('there is no cluster')
        return cluster
      },
      async replaceCluster() {
        await cluster?.destroy()
        cluster = undefined
        await start()
      },
      keepFiles: () => {
        keep = true
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function install({ heading, say }: Narrator): Promise<void> {
  heading('What is needed')
  const start = performance.now()
  await ensureBinaries(
    [
      'nats-server',
      'registry',
      'etcd',
      'kubectl',
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
      'kwok',
    ],
    { log: say },
  )
  say(`everything is installed (${((performance.now() - start) / 1000).toFixed(1)} s)`)
}

async function startFleet(
  stack: AsyncDisposableStack,
  home: string,
  { ssh, onPush }: { ssh: boolean; onPush(): void },
) {
  const { repo, remote } = ssh ? await behindSsh(stack, onPush) : await behindHttp(stack, home, onPush)
  return { repo, remote, ...(await makeFleet(repo, join(home, 'fleet'))) }
}

async function behindHttp(stack: AsyncDisposableStack, home: string, onPush: () => void) {
  const root = join(home, 'git')
  await mkdir(root)
  const server = stack.use(await startGitServer({ root, onPush }))
  const repo = await server.create('fleet')
  return { repo, remote: { url: repo.url } }
}

/** People push over HTTP, where the server tells of it; Setpoint has a key for SSH alone. */
async function behindSsh(stack: AsyncDisposableStack, onPush: () => void) {
  const ssh = stack.use(await startSshServer())
  const repo = await ssh.create('fleet')
  const server = stack.use(await startGitServer({ root: dirname(repo.dir), onPush }))
  const secret = { identity: await ssh.createKey(), known_hosts: await ssh.knownHosts() }
  return { repo: { ...repo, url: `${server.url}/fleet.git` }, remote: { url: repo.url, secret } }
}
