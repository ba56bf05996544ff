import { GIT_REPOSITORY, IMAGE_POLICY, IMAGE_REPOSITORY, IMAGE_UPDATE_AUTOMATION } from '@setpoint/contracts'
import { type KubeClient, WatchedObjects } from '@setpoint/kube'
import type { KubeObject } from '@setpoint/manifest'
import {
  type GitRepo,
  type GitServer,
  type RegistryServer,
  startRegistry,
  temporaryDirectory,
} from '@setpoint/testkit'
import { startNeighbours, withStack } from '../neighbours.ts'
import { cpuSeconds, peakMemoryMib } from '../processes.ts'
import { startUp } from '../up.ts'

export const NAMESPACE = 'bench'

/** Real parts and `setpoint up`, and what the measurements need of them. */
export interface ImageBench extends AsyncDisposable {
  kube: KubeClient
  git: GitServer
  registry: RegistryServer
  create(apiVersion: string, kind: string, name: string, spec: object): Promise<void>
  createSource(name: string, repo: GitRepo): Promise<void>
  createRepository(name: string, image: string, interval?: string): Promise<void>
  createPolicy(name: string, repository: string): Promise<void>
  createAutomation(name: string): Promise<void>
  /** Says on the bus that an image was pushed. */
  hint(name: string): void
  /** As a watch sees them. */
  repositories: WatchedObjects<KubeObject>
  deployments: WatchedObjects<KubeObject>
  /** CPU seconds of image-automation so far, and the most memory that it has held. */
  usage(): { cpuSeconds: number; peakMib: number }
}

const AUTHOR = { name: 'Setpoint', email: 'setpoint@example.com' }
const IMAGE_API = 'image.toolkit.fluxcd.io/v1'

export function startImageBench(): Promise<ImageBench> {
  return withStack(assemble)
}

async function assemble(stack: AsyncDisposableStack): Promise<ImageBench> {
  const { kubeconfig, nats, git, kube, bus } = await startNeighbours(stack, ['registry'])
  const home = stack.use(await temporaryDirectory('bench-images'))
  const registry = stack.use(await startRegistry())
  const where = { kubeconfig, natsUrl: nats.url, data: home.path }
  const { services } = await startUp(stack, where)
  const pid = services.find(({ name }) => name === 'image-automation')?.pid ?? 0
  const stopping = new AbortController()
  stack.defer(() => stopping.abort())
  const watch = (gvk: { group: string; version: string; kind: string }) =>
    new WatchedObjects(kube, { gvk, signal: stopping.signal }, { onError() {} })
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  const create: ImageBench['create'] = async (apiVersion, kind, name, spec) => {
    await kube.create({ apiVersion, kind, metadata: { namespace: NAMESPACE, name }, spec })
  }
  return {
    kube,
    git,
    registry,
    create,
    createSource: (name, { url }) => {
      const spec = { interval: '10m', url, ref: { branch: 'main' } }
      return create('source.toolkit.fluxcd.io/v1', GIT_REPOSITORY.kind, name, spec)
    },
    createRepository: (name, image, interval = '10m') =>
      create(IMAGE_API, IMAGE_REPOSITORY.kind, name, { image, interval, insecure: true }),
    createPolicy: (name, repository) => {
      const policy = { semver: { range: '*' } }
      return create(IMAGE_API, IMAGE_POLICY.kind, name, { imageRepositoryRef: { name: repository }, policy })
    },
    createAutomation: (name) => {
      const sourceRef = { kind: GIT_REPOSITORY.kind, name }
      const spec = { sourceRef, interval: '10m', git: { commit: { author: AUTHOR } } }
      return create(IMAGE_API, IMAGE_UPDATE_AUTOMATION.kind, name, spec)
    },
    hint: (name) =>
      bus.hint({ kind: IMAGE_REPOSITORY.kind, namespace: NAMESPACE, name }, { requestedBy: 'bench' }),
    repositories: watch(IMAGE_REPOSITORY),
    deployments: watch({ group: 'apps', version: 'v1', kind: 'Deployment' }),
    usage: () => ({ cpuSeconds: cpuSeconds(pid), peakMib: peakMemoryMib(pid) }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
