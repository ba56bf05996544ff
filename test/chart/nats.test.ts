import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bus, type BusConnectOptions, type BusError, connectBus, newTraceId } from '@setpoint/bus'
import {
  type MessageType,
  type OutcomeMessage,
  outcomeMessage,
  type RenderedMessage,
  renderedMessage,
  subjects,
} from '@setpoint/contracts'
import { binary, type Child, freePort, startChild, temporaryDirectory, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { find, type Manifest, render } from './helm.ts'

/** The chart's NATS configuration on a real nats-server: who may say what. */

/** The second starts with a digit and the third looks like a number: NATS must still take them as they are. */
const PASSWORDS: Record<string, string> = {
  source: 'plain',
  'kustomize-render': '1abc',
  apply: '1e5',
  cluster: '007',
}
const stack = new AsyncDisposableStack()
let objects: Manifest[]
let url: string

beforeAll(async () => {
  await binary('helm')
  objects = await render({ nats: { replicas: 3 } })
  const { path } = stack.use(await temporaryDirectory('chart-nats'))
  const port = await freePort()
  url = `nats://127.0.0.1:${port}`
  const single = find(await render(), 'ConfigMap', 'setpoint-nats').data['nats.conf']
  const { env } = find(objects, 'StatefulSet', 'setpoint-nats').spec.template.spec.containers[0]
  const child = await startServer(path, moved(single, { path, port }), environmentOf(env))
  stack.defer(() => child.kill())
  await waitFor('nats-server is ready', () => child.logs().includes('Server is ready'))
}, 600_000)

afterAll(() => stack.disposeAsync())

describe('the configuration', () => {
  it('for three servers makes a cluster that keeps three copies and goes on without one of them', async () => {
    await using servers = await startCluster(3)
    await using render = await open('kustomize-render', { url: servers.url, replicas: 3 })
    await using apply = await open('apply', { url: servers.url, replicas: 3 })
    await publish(render, renderedMessage, subjects.rendered(key), rendered)
    await servers.children[0]?.kill()
    const last = await waitFor('the message from the two that are left', () =>
      apply.last(renderedMessage, subjects.rendered(key)).catch(() => undefined),
    )
    expect(last.data.revision).toBe('main@sha1:abc')
  }, 60_000)

  it('sends each server to the names that the peers have in the cluster', () => {
    const { env } = find(objects, 'StatefulSet', 'setpoint-nats').spec.template.spec.containers[0]
    expect(environmentOf(env).ROUTE_2).toBe(
      '"nats-route://cluster:007@setpoint-nats-2.setpoint-nats-peers.setpoint-system.svc.cluster.local:6222"',
    )
  })

  it('lets nobody in without a password, or with another one’s', async () => {
    await expect(open('source', { password: 'wrong' })).rejects.toThrow('cannot connect to NATS')
    await expect(open('apply', { password: 'plain' })).rejects.toThrow('cannot connect to NATS')
  })
})

describe('a service', () => {
  it('makes the streams, and each may say its own messages', async () => {
    await using render = await open('kustomize-render')
    await using apply = await open('apply')
    await publish(render, renderedMessage, subjects.rendered(key), rendered)
    await publish(apply, outcomeMessage, subjects.outcome(key), outcome)
    const last = await apply.last(renderedMessage, subjects.rendered(key))
    expect(last?.data.revision).toBe('main@sha1:abc')
  })

  it('reads what it needs as it comes', async () => {
    await using render = await open('kustomize-render')
    await using apply = await open('apply')
    await publish(render, renderedMessage, subjects.rendered(key), rendered)
    const seen: string[] = []
    const consumption = apply.consume({
      type: renderedMessage,
      filter: subjects.all.rendered,
      onMessage: ({ envelope }) => seen.push(envelope.data.revision),
    })
    await consumption.caughtUp
    expect(seen).toEqual(['main@sha1:abc'])
  })

  it('stores bytes in its own bucket, replaces and deletes them, and others read them', async () => {
    await using render = await open('kustomize-render')
    await using apply = await open('apply')
    const large = new Uint8Array(300 * 1024).fill(7)
    await render.putBytes('setpoint-rendered', 'set', Uint8Array.of(1))
    const stored = await render.putBytes('setpoint-rendered', 'set', large)
    expect(await apply.getBytes('setpoint-rendered', stored)).toHaveLength(large.length)
    await render.deleteBytes('setpoint-rendered', 'set')
    expect(await render.listBytes('setpoint-rendered')).toEqual([])
  })

  it('cannot speak for another: source says no rendered set, kustomize-render no outcome, apply no set', async () => {
    await using source = await open('source')
    await using render = await open('kustomize-render')
    await using apply = await open('apply')
    await expectRefused(publish(source, renderedMessage, subjects.rendered(key), rendered))
    await expectRefused(publish(render, outcomeMessage, subjects.outcome(key), outcome))
    await expectRefused(publish(apply, renderedMessage, subjects.rendered(key), rendered))
  })

  it('cannot put bytes into another one’s bucket', async () => {
    await using apply = await open('apply')
    await expectRefused(apply.putBytes('setpoint-rendered', 'forged', Uint8Array.of(1)))
  })

  it('parks what it cannot read', async () => {
    await using apply = await open('apply')
    await publish(apply, outcomeMessage, subjects.deadLetter('setpoint.rendered.apps.web'), outcome)
  })
})

const key = { namespace: 'apps', name: 'web' }

const rendered: RenderedMessage = {
  ...key,
  uid: 'u',
  generation: 1,
  requestedAt: '',
  source: { kind: 'GitRepository', namespace: 'apps', name: 'fleet' },
  revision: 'main@sha1:abc',
  problem: { reason: 'BuildFailed', message: 'no such file', stalled: false },
}

const outcome: OutcomeMessage = {
  ...key,
  uid: 'u',
  generation: 1,
  revision: 'main@sha1:abc',
  ready: 'True',
  reason: 'ReconciliationSucceeded',
  message: '',
  inventoryDigest: '',
  timingsMs: {},
}

function open(service: string, options: Partial<BusConnectOptions> = {}): Promise<Bus> {
  const log = { info() {}, warn() {} }
  const password = PASSWORDS[service] ?? ''
  const user = { producer: service, user: service, password }
  return connectBus({ url, ...user, log, now: Date.now, connectTimeoutMs: 2_000, ...options })
}

function publish<T>(bus: Bus, type: MessageType<T>, subject: string, data: T): Promise<void> {
  return bus.publish(type, subject, data, { traceId: newTraceId() })
}

async function expectRefused(attempt: Promise<unknown>): Promise<void> {
  const error = await attempt.then(
    () => undefined,
    (cause: BusError) => cause,
  )
  expect(error?.message).toMatch(/permission|timeout/i)
}

/** The variables that Kubernetes would set: `$(NAME)` stands for one that came before. */
function environmentOf(variables: Array<Manifest & { name: string }>): Record<string, string> {
  const env: Record<string, string> = {}
  for (const { name, value, valueFrom } of variables) {
    const text: string = valueFrom?.secretKeyRef
      ? PASSWORDS[valueFrom.secretKeyRef.key]
      : (value ?? 'setpoint-nats-0')
    env[name] = text.replaceAll(/\$\((\w+)\)/g, (_, before: string) => env[before] ?? '')
  }
  return env
}

interface Place {
  path: string
  port: number
  clusterPort?: number
}

/** The configuration with addresses and paths of this machine. */
function moved(config: string, { path, port, clusterPort }: Place): string {
  return config
    .replaceAll('"0.0.0.0:4222"', `"127.0.0.1:${port}"`)
    .replaceAll('"0.0.0.0:6222"', `"127.0.0.1:${clusterPort}"`)
    .replaceAll('http: "0.0.0.0:8222"', '')
    .replaceAll('"/data"', JSON.stringify(join(path, 'data')))
}

async function startServer(path: string, config: string, env: Record<string, string>): Promise<Child> {
  await mkdir(join(path, 'data'), { recursive: true })
  const file = join(path, 'nats.conf')
  await writeFile(file, config)
  return startChild('nats-server', await binary('nats-server'), ['-c', file], { env })
}

interface Cluster extends AsyncDisposable {
  url: string
  children: Child[]
}

/** Servers of one cluster, with the chart's configuration; only the addresses are this machine's. */
async function startCluster(size: number): Promise<Cluster> {
  const resources = new AsyncDisposableStack()
  const { path } = resources.use(await temporaryDirectory('chart-nats-cluster'))
  const config = find(objects, 'ConfigMap', 'setpoint-nats').data['nats.conf']
  const { env } = find(objects, 'StatefulSet', 'setpoint-nats').spec.template.spec.containers[0]
  const ports: Array<{ port: number; clusterPort: number }> = []
  while (ports.length < size) ports.push({ port: await freePort(), clusterPort: await freePort() })
  const routes = ports.map(({ clusterPort }, ordinal) => [
    `ROUTE_${ordinal}`,
    `"nats-route://cluster:${PASSWORDS.cluster}@127.0.0.1:${clusterPort}"`,
  ])
  const children: Child[] = []
  for (const [ordinal, place] of ports.entries()) {
    const home = { ...place, path: join(path, String(ordinal)) }
    const variables = {
      ...environmentOf(env),
      ...Object.fromEntries(routes),
      POD_NAME: `setpoint-nats-${ordinal}`,
    }
    const child = await startServer(home.path, moved(config, home), variables)
    resources.defer(() => child.kill())
    children.push(child)
  }
  await waitFor('the cluster has a leader', () =>
    children.every((child) => /new (JetStream cluster )?metadata leader/.test(child.logs())),
  )
  const url = ports.map(({ port }) => `nats://127.0.0.1:${port}`).join(',')
  return { url, children, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
