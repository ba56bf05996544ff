import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  GIT_REPOSITORY,
  type GitRepository,
  IMAGE_POLICY,
  IMAGE_REPOSITORY,
  IMAGE_UPDATE_AUTOMATION,
  type ImageUpdateAutomation,
} from '@setpoint/contracts'
import { type RegistryServer, startRegistry, temporaryDirectory, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { NAMESPACE, startWholeSet, type WholeSet } from './harness.ts'

/** From a push to the registry to a Deployment that has rolled out, with every service and real neighbours. */

const stack = new AsyncDisposableStack()
let set: WholeSet
let registry: RegistryServer

beforeAll(async () => {
  registry = stack.use(await startRegistry())
  set = stack.use(await startWholeSet({ controllers: true }))
}, 600_000)
afterAll(() => stack.disposeAsync())

const AUTHOR = { name: 'Setpoint', email: 'setpoint@example.com' }
const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment' }

it('an image that is pushed is chosen, committed and signed, verified, applied and rolled out; the next one in seconds', async () => {
  const key = await makeKey()
  const image = `${registry.host}/team/web`
  await registry.push('team/web', '1.0.0')
  const repo = await set.createFleet('fleet', { 'web/deployment.yaml': deployment(`${image}:0.9.0`) })
  await set.applyKustomization('web', { wait: true, timeout: '1m' })
  await createSecret('signing', { identity: key.identity })
  await createSecret('trusted', { 'setpoint.sshpub': key.publicKey })
  await create(IMAGE_REPOSITORY.kind, { image, interval: '10m', insecure: true })
  await create(IMAGE_POLICY.kind, {
    imageRepositoryRef: { name: 'web' },
    policy: { semver: { range: '1.x' } },
  })
  await create(IMAGE_UPDATE_AUTOMATION.kind, {
    sourceRef: { kind: 'GitRepository', name: 'fleet' },
    interval: '10m',
    git: { commit: { author: AUTHOR, signingKey: { type: 'ssh', secretRef: { name: 'signing' } } } },
    update: { path: './web' },
  })
  await rolledOut(`${image}:1.0.0`)
  const verify = { mode: 'HEAD', secretRef: { name: 'trusted' } } as const
  await set.applyGitRepository('fleet', { url: repo.url, verify })
  await registry.push('team/web', '1.1.0')
  set.bus.hint({ kind: IMAGE_REPOSITORY.kind, namespace: NAMESPACE, name: 'web' }, { requestedBy: 'test' })
  await rolledOut(`${image}:1.1.0`)
  const head = await repo.head()
  await set.waitReady('Kustomization', 'web', head)
  const automation = await set.kube.get(IMAGE_UPDATE_AUTOMATION, { namespace: NAMESPACE, name: 'web' })
  expect((automation as ImageUpdateAutomation).status?.lastPushCommit).toBe(head)
  const source = await set.kube.get(GIT_REPOSITORY, { namespace: NAMESPACE, name: 'fleet' })
  const { conditions = [] } = (source as GitRepository).status ?? {}
  expect(conditions.find(({ type }) => type === 'SourceVerified')?.status).toBe('True')
  expect(set.refusals()).toEqual([])
})

async function makeKey(): Promise<{ identity: string; publicKey: string }> {
  await using home = await temporaryDirectory('signing')
  const file = join(home.path, 'key')
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file])
  return { identity: await readFile(file, 'utf8'), publicKey: await readFile(`${file}.pub`, 'utf8') }
}

function createSecret(name: string, stringData: Record<string, string>) {
  return set.kube.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: NAMESPACE, name },
    stringData,
  })
}

function create(kind: string, spec: object) {
  const metadata = { namespace: NAMESPACE, name: 'web' }
  return set.kube.create({ apiVersion: 'image.toolkit.fluxcd.io/v1', kind, metadata, spec })
}

async function rolledOut(image: string): Promise<void> {
  await waitFor(`the Deployment runs ${image}`, async () => {
    const found = await set.kube.get(DEPLOYMENT, { namespace: NAMESPACE, name: 'web' })
    const { spec, status } = found as unknown as {
      spec: { template: { spec: { containers: { image: string }[] } } }
      status?: { updatedReplicas?: number; availableReplicas?: number; observedGeneration?: number }
    }
    const isNew = spec.template.spec.containers[0]?.image === image
    const isCurrent = status?.observedGeneration === found?.metadata.generation
    return isNew && isCurrent && status?.updatedReplicas === 1 && status.availableReplicas === 1
  })
}

function deployment(image: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: ${image} # {"$imagepolicy": "${NAMESPACE}:web"}
`
}
