import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connectKube } from '@setpoint/kube'
import { sharedCluster, startTcpProxy, temporaryDirectory, testNamespace, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Fence } from './fence.ts'
import { LEASE } from './lease-record.ts'
import { joinReplicas, type Membership } from './membership.ts'

const DURATION_MS = 3_000
/** Longer than anything is waited for here. */
const ENDLESS_MS = 120_000
const keys = Array.from({ length: 60 }, (_, index) => `apps/app-${index}`)
const log = { info() {}, warn() {} }

let cluster: Awaited<ReturnType<typeof sharedCluster>>
let namespace: Awaited<ReturnType<typeof testNamespace>>
let service: string
let count = 0
const stack = new AsyncDisposableStack()

beforeAll(async () => {
  cluster = await sharedCluster()
  namespace = stack.use(await testNamespace(cluster))
})

beforeEach(() => {
  count += 1
  service = `service-${count}`
})

afterAll(() => stack.disposeAsync())

interface Replica extends AsyncDisposable {
  membership: Membership
  fence: Fence
  owned(): string[]
  /** How often the network gave everything that it had to be given up. */
  releases: number
}

async function startReplica(
  replica: string,
  { kubeconfig = cluster.kubeconfig, durationMs = DURATION_MS } = {},
): Promise<Replica> {
  const kube = await connectKube({ kubeconfig })
  const fence = new Fence()
  const membership = await joinReplicas({
    kube,
    fence,
    log,
    service,
    replica,
    process: `${replica}-${Math.random()}`,
    namespace: namespace.name,
    durationMs,
  })
  const started: Replica = {
    membership,
    fence,
    releases: 0,
    // What it may write right now.
    owned: () => (fence.leftMs() > 0 ? keys.filter((key) => membership.owns(key)) : []),
    [Symbol.asyncDispose]: async () => {
      await membership.leave()
      await kube[Symbol.asyncDispose]()
    },
  }
  membership.onChange({
    release: async () => {
      started.releases += 1
    },
    regain: () => undefined,
  })
  return started
}

/** Looks all the time for keys that two of them own. */
function watchOverlaps(...replicas: Replica[]) {
  const found: string[] = []
  const timer = setInterval(() => {
    const owned = replicas.flatMap((replica) => replica.owned())
    found.push(...owned.filter((key, index) => owned.indexOf(key) !== index))
  }, 2)
  return { replicas, found, [Symbol.dispose]: () => clearInterval(timer) }
}

/** Every key has one owner, and everybody has some. */
async function settled(...replicas: Replica[]): Promise<void> {
  await waitFor('every key has one owner', () => {
    const owners = keys.map((key) => replicas.filter((replica) => replica.owned().includes(key)).length)
    const idle = replicas.some((replica) => replica.owned().length === 0)
    if (!idle && owners.every((owner) => owner === 1)) return true
    throw new Error(owners.join(' '))
  })
}

test('a replica that is alone owns everything at once', async () => {
  await using alone = await startReplica('a')
  expect(alone.owned()).toEqual(keys)
})

test('a second one takes a share when the first has given it up, and no key is ever owned twice', async () => {
  await using a = await startReplica('a')
  using overlaps = watchOverlaps(a)
  await using b = await startReplica('b')
  overlaps.replicas.push(b)
  await settled(a, b)
  expect(overlaps.found).toEqual([])
  expect(a.owned().length).toBeGreaterThan(keys.length / 4)
  expect(b.owned().length).toBeGreaterThan(keys.length / 4)
})

test('one that stops hands over at once, without its Lease running out', async () => {
  await using a = await startReplica('a', { durationMs: ENDLESS_MS })
  const b = await startReplica('b', { durationMs: ENDLESS_MS })
  await settled(a, b)
  await b[Symbol.asyncDispose]()
  await settled(a)
  const left = await waitForLeases()
  expect(left).toEqual([`setpoint-${service}-a`])
})

test('one that is cut off stops to write before another goes on, and comes back to its share', async () => {
  const { port } = new URL(cluster.url)
  await using proxy = await startTcpProxy(Number(port))
  await using a = await startReplica('a')
  await using b = await startReplica('b', { kubeconfig: await kubeconfigAt(proxy.port) })
  await settled(a, b)
  const share = b.owned()
  proxy.cut()
  using overlaps = watchOverlaps(a, b)
  await settled(a)
  expect(b.owned()).toEqual([])
  expect(b.membership.problem()).toContain('not renewed')
  proxy.mend()
  await settled(a, b)
  expect(b.owned()).toEqual(share)
  expect(b.releases).toBeGreaterThan(0)
  expect(overlaps.found).toEqual([])
})

test('a process that was started again under its name goes on at once, and the older one stands back', async () => {
  const before = await startReplica('a')
  await using other = await startReplica('b')
  await settled(before, other)
  await using after = await startReplica('a')
  await waitFor('the older one stands back', () => before.membership.problem()?.includes('taken the name'))
  await settled(after, other)
  await before[Symbol.asyncDispose]()
  expect(await waitForLeases()).toEqual([`setpoint-${service}-a`, `setpoint-${service}-b`])
})

async function waitForLeases(): Promise<string[]> {
  await using kube = await connectKube({ kubeconfig: cluster.kubeconfig })
  const leases = await kube.list(LEASE, { namespace: namespace.name })
  return leases
    .map(({ metadata }) => metadata.name)
    .filter((name) => name.startsWith(`setpoint-${service}-`))
    .sort()
}

async function kubeconfigAt(port: number): Promise<string> {
  const directory = stack.use(await temporaryDirectory('membership'))
  const text = await readFile(cluster.kubeconfig, 'utf8')
  const file = join(directory.path, 'kubeconfig')
  await writeFile(file, text.replace(cluster.url, `https://127.0.0.1:${port}`))
  return file
}
