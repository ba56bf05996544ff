import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectKube, type KubeClient } from '@setpoint/kube'
import {
  type GitRepo,
  git,
  REGISTRY_USER,
  type RegistryServer,
  type SharedCluster,
  sharedCluster,
  startGitServer,
  startRegistry,
  testNamespace,
} from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommandLine } from '../src/index.ts'

/** `setpoint image` on objects whose statuses are as the service leaves them; the service itself does not run. */

const stack = new AsyncDisposableStack()
let cluster: SharedCluster
let kube: KubeClient
let namespace: string
let registry: RegistryServer
let repo: GitRepo
let image: string

beforeAll(async () => {
  cluster = await sharedCluster()
  kube = stack.use(await connectKube({ kubeconfig: cluster.kubeconfig }))
  namespace = stack.use(await testNamespace(cluster)).name
  registry = stack.use(await startRegistry({ auth: 'basic' }))
  repo = await stack.use(await startGitServer()).create('fleet')
  image = `${registry.host}/team/web`
  await registry.pushMany('team/web', ['1.0.0', '1.1.0', '2.0.0', 'latest', '1.1.0.sig'])
  const marked = `image: ${image}:0.9.0 # {"$imagepolicy": "${namespace}:web"}\n`
  await repo.commit({
    'apps/web.yaml': `a: 1\r\nb: 2\r\n${marked}c: 3\n`,
    'apps/broken.yaml': `${marked}\tx: [\n`,
    'other/web.yaml': marked,
  })
  await createObjects()
})
afterAll(() => stack.disposeAsync())

test('image why says of each tag whether it was left out, compared or chosen, with the pull secrets of the object', async () => {
  const { code, output } = await setpoint('image', 'why', 'web')
  expect(output).toContain(`${image}: 4 tags seen, 2 left out, 2 compared\nchosen: 1.1.0\n`)
  const rows = output.split('\n').map((line) => line.trim().split(/ {2,}/))
  expect(rows).toContainEqual(['1.1.0', 'chosen'])
  expect(rows).toContainEqual(['1.0.0', 'compared, place 2'])
  expect(rows).toContainEqual(['latest', String.raw`does not match ^\d`])
  expect(rows).toContainEqual(['2.0.0', 'is outside 1.x'])
  expect(output).toContain('the policy says 1.0.0: it will follow with the next scan')
  expect(code).toBe(0)
})

test('image why as JSON holds what was chosen and what was left out', async () => {
  const { output } = await setpoint('image', 'why', 'web', '-o', 'json')
  expect(JSON.parse(output)).toMatchObject({
    chosen: '1.1.0',
    rejected: [{ tag: 'latest' }, { tag: '2.0.0' }],
  })
})

test('image why fails and says so when nothing fits, and when the registry refuses the credentials', async () => {
  const nothing = await setpoint('image', 'why', 'nothing')
  expect(nothing).toMatchObject({ code: 1, output: expect.stringContaining('nothing is chosen: ') })
  const refused = await setpoint('image', 'why', 'refused')
  expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('401') })
  expect(refused.output).not.toContain(REGISTRY_USER.password)
})

test('image update --dry-run prints the commit that would be made, and pushes nothing', async () => {
  const before = await repo.head()
  const { code, output } = await setpoint('image', 'update', 'fleet', '--dry-run')
  expect(output).toContain(`one commit to main of ${repo.url}, which is at ${before.slice(0, 8)}:`)
  expect(output).toContain(`    web: ${image}:0.9.0 -> ${image}:1.0.0\n`)
  expect(output).toContain('apps/broken.yaml:2: not YAML')
  expect(output).toContain('imagepolicy "nothing" has chosen no image yet')
  expect(output).not.toContain('other/web.yaml')
  expect(code).toBe(0)
  expect(await repo.head()).toBe(before)
})

test('its patch is one that git applies', async () => {
  const { patch } = JSON.parse((await setpoint('image', 'update', 'fleet', '--dry-run', '-o', 'json')).stdout)
  const clone = await mkdtemp(join(tmpdir(), 'patched-'))
  stack.defer(() => rm(clone, { recursive: true, force: true }))
  await git(['clone', '--quiet', repo.url, clone])
  await writeFile(join(clone, 'a.patch'), patch)
  await git(['apply', 'a.patch'], { cwd: clone })
  expect(await readFile(join(clone, 'apps/web.yaml'), 'utf8')).toBe(
    `a: 1\r\nb: 2\r\nimage: ${image}:1.0.0 # {"$imagepolicy": "${namespace}:web"}\nc: 3\n`,
  )
})

test('image update --dry-run says when there is nothing to commit, and why it cannot tell', async () => {
  const nothing = await setpoint('image', 'update', 'elsewhere', '--dry-run')
  expect(nothing).toMatchObject({ code: 0, output: expect.stringContaining('nothing to commit to main of') })
  const lost = await setpoint('image', 'update', 'lost', '--dry-run')
  expect(lost.code).toBe(1)
  expect(lost.output).toContain(`GitRepository "${namespace}/gone" does not exist`)
  const real = await setpoint('image', 'update', 'fleet')
  expect(real).toMatchObject({
    code: 2,
    output: expect.stringContaining('setpoint reconcile image update fleet'),
  })
})

test('who suspended an automation and since when is said, and since when and why one fails', async () => {
  await setpoint('suspend', 'image', 'update', 'elsewhere')
  const suspended = await setpoint('image', 'update', 'elsewhere', '--dry-run')
  expect(suspended.output).toMatch(/"elsewhere" is suspended, by setpoint-cli since \d{4}-/)
  const lastTransitionTime = '2026-01-01T00:00:00Z'
  const failing = {
    type: 'Ready',
    status: 'False',
    reason: 'GitOperationFailed',
    message: 'main is protected',
  }
  await setStatus('ImageUpdateAutomation', 'elsewhere', { conditions: [{ ...failing, lastTransitionTime }] })
  const { output } = await setpoint('image', 'update', 'elsewhere', '--dry-run')
  expect(output).toContain(`not ready since ${lastTransitionTime}: GitOperationFailed: main is protected`)
})

test('get images shows repositories, policies and automations, each with what it stands at', async () => {
  const { output } = await setpoint('get', 'images')
  const rows = output.split('\n').map((line) => line.split(/ {2,}/).slice(0, 4))
  expect(rows).toContainEqual(['imagerepository/web', '4 tags', 'False', 'Unknown'])
  expect(rows).toContainEqual(['imagepolicy/web', '1.0.0', 'False', 'True'])
  expect(rows).toContainEqual(['imageupdateautomation/fleet', '1a2b3c4d', 'False', 'Unknown'])
  const one = await setpoint('get', 'image', 'policy', 'web', '-o', 'json')
  expect(JSON.parse(one.stdout)).toMatchObject({ kind: 'ImagePolicy', metadata: { name: 'web' } })
})

async function createObjects(): Promise<void> {
  const login = JSON.stringify({ auths: { [registry.host]: REGISTRY_USER } })
  const wrong = JSON.stringify({ auths: { [registry.host]: { ...REGISTRY_USER, password: 'wrong' } } })
  await createSecret('login', login)
  await createSecret('wrong', wrong)
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'puller' } }
  await kube.create({ ...account, imagePullSecrets: [{ name: 'login' }] })
  const repository = { image, interval: '10m', insecure: true }
  await create('ImageRepository', 'web', { ...repository, serviceAccountName: 'puller' })
  await create('ImageRepository', 'refused', { ...repository, secretRef: { name: 'wrong' } })
  const filterTags = { pattern: String.raw`^\d` }
  const policy = (name: string, range: string) => ({
    imageRepositoryRef: { name },
    policy: { semver: { range } },
    filterTags,
  })
  await create('ImagePolicy', 'web', policy('web', '1.x'))
  await create('ImagePolicy', 'nothing', policy('web', '9.x'))
  await create('ImagePolicy', 'refused', policy('refused', '1.x'))
  const messageTemplate = '{{ range .Changed.Changes }}web: {{ .OldValue }} -> {{ .NewValue }}\n{{ end }}'
  const author = { name: 'Setpoint', email: 'setpoint@example.com' }
  const automation = (name: string, path: string) => ({
    sourceRef: { kind: 'GitRepository', name },
    interval: '10m',
    update: { path, strategy: 'Setters' },
    git: { commit: { author, messageTemplate } },
  })
  await create('ImageUpdateAutomation', 'fleet', automation('fleet', './apps'))
  await create('ImageUpdateAutomation', 'elsewhere', automation('fleet', './none'))
  await create('ImageUpdateAutomation', 'lost', automation('gone', './'))
  await kube.create({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { namespace, name: 'fleet', labels: shard() },
    spec: { interval: '10m', url: repo.url, ref: { branch: 'main' } },
  })
  await setStatuses()
}

async function setStatuses(): Promise<void> {
  const lastScanResult = {
    revision: '1',
    tagCount: 4,
    scanTime: '2026-01-01T00:00:00Z',
    latestTags: ['2.0.0'],
  }
  await setStatus('ImageRepository', 'web', { lastScanResult })
  const ready = { type: 'Ready', status: 'True', reason: 'Succeeded', message: 'ok' }
  const conditions = [{ ...ready, lastTransitionTime: '2026-01-01T00:00:00Z' }]
  await setStatus('ImagePolicy', 'web', { latestRef: { name: image, tag: '1.0.0' }, conditions })
  await setStatus('ImageUpdateAutomation', 'fleet', { lastPushCommit: `1a2b3c4d${'0'.repeat(32)}` })
}

const shard = () => ({ 'sharding.fluxcd.io/key': namespace })
const GROUP = 'image.toolkit.fluxcd.io'

function create(kind: string, name: string, spec: object): Promise<unknown> {
  const metadata = { namespace, name, labels: shard() }
  return kube.create({ apiVersion: `${GROUP}/v1`, kind, metadata, spec })
}

function createSecret(name: string, config: string): Promise<unknown> {
  const type = 'kubernetes.io/dockerconfigjson'
  const stringData = { '.dockerconfigjson': config }
  return kube.create({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name }, type, stringData })
}

function setStatus(kind: string, name: string, status: object): Promise<unknown> {
  const gvk = { group: GROUP, version: 'v1', kind }
  return kube.mergePatch(gvk, { namespace, name }, { status }, { subresource: 'status' })
}

async function setpoint(...words: string[]): Promise<{ code: number; stdout: string; output: string }> {
  const said = { stdout: '', output: '' }
  const write = (text: string) => {
    said.output += text
  }
  const stdout = {
    write(text: string) {
      said.stdout += text
      write(text)
    },
  }
  const io = { stdin: process.stdin, stdout, stderr: { write }, colour: false }
  const args = [...words, '-n', namespace, '--kubeconfig', cluster.kubeconfig]
  return { code: await runCommandLine(args, io, AbortSignal.timeout(50_000)), ...said }
}
