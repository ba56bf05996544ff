import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import {
  GIT_REPOSITORY,
  IMAGE_POLICY,
  IMAGE_REPOSITORY,
  IMAGE_UPDATE_AUTOMATION,
  KUSTOMIZATION,
} from '@setpoint/contracts'
import { type GitRepo, type RegistryServer, waitFor } from '@setpoint/testkit'
import { NAMESPACE, type WholeSet } from '../harness.ts'

const NAME = 'circle'
const AUTHOR = { name: 'Setpoint', email: 'setpoint@example.com' }

/** An image whose tags become commits, and these the cluster, in a repository of its own. */
export interface ImageCircle {
  /** Pushes the next version. */
  push(): Promise<void>
  /** Waits until the last version is live. */
  closed(timeoutMs: number): Promise<void>
  /** Versions in Git that are older than one before them, or there twice. */
  wrong(): Promise<string[]>
}

export async function makeImageCircle(set: WholeSet, registry: RegistryServer): Promise<ImageCircle> {
  const image = `${registry.host}/team/${NAME}`
  let minor = 0
  const version = () => `1.${minor}.0`
  await registry.push(`team/${NAME}`, version())
  const repo = await set.createFleet(NAME, { 'circle/image.yaml': configMap(`${image}:0.0.0`) })
  await set.applyKustomization(NAME, { sourceRef: { kind: 'GitRepository', name: NAME } })
  await create(set, IMAGE_REPOSITORY.kind, { image, interval: '10s', insecure: true })
  const policy = { semver: { range: '1.x' } }
  await create(set, IMAGE_POLICY.kind, { imageRepositoryRef: { name: NAME }, policy })
  await create(set, IMAGE_UPDATE_AUTOMATION.kind, {
    sourceRef: { kind: 'GitRepository', name: NAME },
    interval: '10s',
    git: { commit: { author: AUTHOR } },
    update: { path: './circle' },
  })
  return {
    push: async () => {
      minor += 1
      await registry.push(`team/${NAME}`, version())
      const { kind } = IMAGE_REPOSITORY
      set.bus.hint({ kind, namespace: NAMESPACE, name: NAME }, { requestedBy: 'chaos' })
    },
    closed: async (timeoutMs) => {
      const isLive = async () => (await set.configMap(NAME))?.image === `${image}:${version()}` || live(set)
      await waitFor(`image ${version()} is live`, isLive, { timeoutMs, intervalMs: 500 }).catch(
        async (error: Error) => {
          const inGit = `Git is at ${(await versions(repo)).at(-1)}`
          throw new Error([error.message, inGit, ...(await statuses(set))].join('\n'))
        },
      )
    },
    wrong: async () => outOfOrder(await versions(repo)),
  }
}

async function live(set: WholeSet): Promise<never> {
  await set.hint(NAME)
  throw new Error(`it is ${JSON.stringify(await set.configMap(NAME))}`)
}

/** Where it may hang, from the registry to the cluster. */
function statuses({ kube }: WholeSet): Promise<string[]> {
  const kinds = [IMAGE_REPOSITORY, IMAGE_POLICY, IMAGE_UPDATE_AUTOMATION, GIT_REPOSITORY, KUSTOMIZATION]
  const statusOf = async (kind: (typeof kinds)[number]) =>
    `${kind.kind}: ${JSON.stringify((await kube.get(kind, { namespace: NAMESPACE, name: NAME }))?.status)}`
  return Promise.all(kinds.map(statusOf))
}

function create(set: WholeSet, kind: string, spec: object) {
  const metadata = { namespace: NAMESPACE, name: NAME }
  return set.kube.create({ apiVersion: 'image.toolkit.fluxcd.io/v1', kind, metadata, spec })
}

/** The minor versions that the branch has had, the first one first. */
async function versions({ dir }: GitRepo): Promise<number[]> {
  const log = ['log', '--reverse', '--format=', '-p', 'main', '--', 'circle/image.yaml']
  const { stdout } = await promisify(execFile)('git', log, { cwd: dir })
  return [...stdout.matchAll(/^\+.*:1\.(\d+)\.0 #/gm)].map(([, minor]) => Number(minor))
}

function outOfOrder(minors: readonly number[]): string[] {
  const found = minors.flatMap((minor, index) => {
    const before = minors[index - 1]
    return before !== undefined && minor <= before ? [`1.${before}.0, then 1.${minor}.0`] : []
  })
  return found.map((step) => `an image went back in Git: ${step}`)
}

function configMap(image: string): string {
  return `apiVersion: v1
kind: ConfigMap
metadata: {name: ${NAME}}
data:
  image: ${image} # {"$imagepolicy": "${NAMESPACE}:${NAME}"}
`
}
