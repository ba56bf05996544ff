import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  binary,
  type Child,
  type ControlPlane,
  freePort,
  spawnService,
  startControlPlane,
  startGitServer,
  temporaryDirectory,
  waitFor,
} from '@setpoint/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { CHART } from './helm.ts'
import { installIdentities, SERVICES, type ServiceName } from './identities.ts'
import { type ChartNats, PASSWORDS, startChartNats } from './nats-server.ts'

/** The real services, each with the chart's ServiceAccount, roles and NATS user, and nothing more. */

const stack = new AsyncDisposableStack()
const children = new Map<ServiceName, Child>()
const addresses = new Map<ServiceName, string>()
let cluster: ControlPlane
let directory: string
let nats: ChartNats

beforeAll(async () => {
  await binary('helm')
  cluster = stack.use(await startControlPlane())
  directory = stack.use(await temporaryDirectory('chart-services')).path
  await cluster.kubectl('apply', '--server-side', '-f', join(CHART, 'crds'))
  const kubeconfigs = await installIdentities(cluster)
  nats = stack.use(await startChartNats())
  for (const service of SERVICES) await start(service, kubeconfigs[service], nats.url)
}, 600_000)

afterAll(() => stack.disposeAsync())

it.each(SERVICES)('%s becomes ready with what the chart allows it', async (service) => {
  await waitFor(`${service} is ready`, () => answers(service, '/readyz')).catch(withLogs(service))
})

it('a commit becomes an object in the cluster, and both statuses say so', async () => {
  await using git = await startGitServer({ basic: { username: 'setpoint', password: 'pass-123' } })
  const repo = await git.create('fleet')
  await repo.commit({ 'app/greeting.yaml': configMap })
  await apply([credentials, repository(repo.url), kustomization])
  const done = await waitFor('the Kustomization is Ready', () => readyStatus('kustomizations/app')).catch(
    withLogs('source', 'kustomize-render', 'apply'),
  )
  expect(done.lastAppliedRevision).toContain(await repo.head())
  const greeting = parse(await cluster.kubectl('get', 'configmap', 'greeting', '-o', 'yaml'))
  expect(greeting.data).toEqual({ text: 'hello from a secret' })
  await waitFor('the GitRepository is Ready', () => readyStatus('gitrepositories/fleet')).catch(
    withLogs('source'),
  )
  await waitFor('an Event of each', async () => {
    const events = await cluster.kubectl('get', 'events', '-o', 'jsonpath={.items[*].source.component}')
    return events.includes('source-controller') && events.includes('kustomize-controller')
  })
})

it('deleting the Kustomization prunes what it applied', async () => {
  await cluster.kubectl('delete', 'kustomization', 'app', '--timeout=30s')
  expect(await cluster.kubectl('get', 'configmap', 'greeting', '--ignore-not-found')).toBe('')
  await cluster.kubectl('delete', 'gitrepository', 'fleet', '--timeout=30s')
})

it.each(SERVICES)(
  '%s is alive and counts what it does, under the names of Flux where Flux has one',
  async (service) => {
    expect(await answers(service, '/healthz')).toBe(true)
    const metrics = await (await fetch(`http://${addresses.get(service)}/metrics`)).text()
    expect(metrics).toMatch(/^workqueue_depth\{name="[a-z-]+"\} 0$/m)
    expect(metrics).toMatch(/^process_cpu_seconds_total /m)
    expect(metrics).toMatch(METRICS[service])
  },
)

it.each(SERVICES)('%s logs JSON lines', (service) => {
  const entries = logged(service)
  expect(
    entries.every(({ ts, level, msg }) => [ts, level, msg].every((field) => typeof field === 'string')),
  ).toBe(true)
})

it.each(['source', 'kustomize-render', 'apply'] as const)('%s logs the trace id of a commit', (service) => {
  expect(logged(service).some(({ traceId }) => typeof traceId === 'string')).toBe(true)
})

it.each(SERVICES)('%s asked for nothing that it may not have', (service) => {
  const logs = children.get(service)?.logs() ?? ''
  expect(logs.split('\n').filter((line) => /forbidden|permissions violation/i.test(line))).toEqual([])
  const refused = nats.children.flatMap((child) =>
    child
      .logs()
      .split('\n')
      .filter((line) => /violation/i.test(line)),
  )
  expect(refused).toEqual([])
})

it.each(SERVICES)('%s ends by itself on SIGTERM', async (service) => {
  expect(await children.get(service)?.stop(30_000)).toEqual({ code: 0, signal: null })
})

function logged(service: ServiceName): Record<string, unknown>[] {
  const lines = (children.get(service)?.logs() ?? '').trim().split('\n')
  return lines.map((line) => JSON.parse(line))
}

const METRICS: Record<ServiceName, RegExp> = {
  source:
    /^gotk_reconcile_duration_seconds_count\{kind="GitRepository",name="fleet",namespace="default"\} [1-9]/m,
  'kustomize-render': /^setpoint_renders_total\{result="success"\} [1-9]/m,
  apply: /^setpoint_commit_to_ready_seconds_count [1-9]/m,
  // There is no image to scan; that it is told without a permission missing is what counts.
  'image-automation': /^setpoint_image_scans_total 0/m,
}

const configMap = `
apiVersion: v1
kind: ConfigMap
metadata: {name: greeting, namespace: default}
data: {text: "hello \${WHENCE}"}
`

const credentials = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'credentials' },
  stringData: { username: 'setpoint', password: 'pass-123', WHENCE: 'from a secret' },
}

const repository = (url: string) => ({
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  metadata: { name: 'fleet' },
  spec: { url, interval: '1m', ref: { branch: 'main' }, secretRef: { name: 'credentials' } },
})

const kustomization = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app' },
  spec: {
    sourceRef: { kind: 'GitRepository', name: 'fleet' },
    path: './app',
    interval: '10m',
    prune: true,
    wait: true,
    postBuild: { substituteFrom: [{ kind: 'Secret', name: 'credentials' }] },
  },
}

async function start(service: ServiceName, kubeconfig: string, natsUrl: string): Promise<void> {
  const password = join(directory, `${service}.password`)
  await writeFile(password, PASSWORDS[service] ?? '')
  const address = `127.0.0.1:${await freePort()}`
  const user = [`--nats-url=${natsUrl}`, `--nats-user=${service}`, `--nats-password-file=${password}`]
  const args = [
    '--log-level=debug',
    `--kubeconfig=${kubeconfig}`,
    `--http-addr=${address}`,
    ...user,
    ...(await storage(service)),
  ]
  const child = await spawnService(service, { args })
  stack.defer(() => child.kill())
  children.set(service, child)
  addresses.set(service, address)
}

async function storage(service: ServiceName): Promise<string[]> {
  if (service === 'image-automation') return [`--storage-path=${join(directory, 'images')}`]
  if (service !== 'source') return []
  const address = `127.0.0.1:${await freePort()}`
  return [
    `--storage-path=${join(directory, 'storage')}`,
    `--storage-addr=${address}`,
    `--storage-adv-addr=${address}`,
  ]
}

async function answers(service: ServiceName, path: string): Promise<boolean> {
  const response = await fetch(`http://${addresses.get(service)}${path}`).catch(() => undefined)
  return response?.ok ?? false
}

async function apply(objects: object[]): Promise<void> {
  const file = join(directory, 'objects.json')
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
  await cluster.kubectl('apply', '--server-side', '-f', file)
}

interface Status {
  lastAppliedRevision?: string
  conditions?: Array<{ type: string; status: string }>
}

async function readyStatus(object: string): Promise<Status | undefined> {
  const { status } = parse(await cluster.kubectl('get', object, '-o', 'yaml')) as { status: Status }
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' ? status : undefined
}

function withLogs(...services: ServiceName[]): (error: Error) => never {
  return (error) => {
    const logs = services.map((service) => `--- ${service}\n${children.get(service)?.logs().slice(-3_000)}`)
    throw new Error([error.message, ...logs].join('\n'), { cause: error })
  }
}
