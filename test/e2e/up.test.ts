import {
  type Child,
  type ControlPlane,
  startControlPlane,
  temporaryDirectory,
  waitFor,
} from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startUp, upState } from './up-process.ts'

/** `setpoint up` against a cluster that it did not start, with a nats-server of its own. */

/** A start takes two seconds; on a machine that is busy, far longer. */
const TEST_TIMEOUT_MS = 300_000

const stack = new AsyncDisposableStack()
let plane: ControlPlane
let data: string
let up: Child

beforeAll(async () => {
  plane = stack.use(await startControlPlane())
  data = stack.use(await temporaryDirectory('up')).path
}, 600_000)
afterAll(() => stack.disposeAsync())

test.each([[[]], [['--single-process']]])(
  'up %j installs the CRDs, and its services become ready',
  async (flags: string[]) => {
    await start(flags)
    expect(
      await plane.kubectl('get', 'crd', 'kustomizations.kustomize.toolkit.fluxcd.io', '-o', 'name'),
    ).toContain('customresourcedefinition')
    await stopAndLook()
  },
  TEST_TIMEOUT_MS,
)

test(
  'up --replicas 2 runs two of each service that shares its work, each with a Lease of its own',
  async () => {
    await start(['--replicas', '2'])
    const { services } = await upState(data)
    const shared = ['source', 'kustomize-render', 'apply', 'image-automation'].flatMap((name) => [
      `${name}-0`,
      `${name}-1`,
    ])
    expect(services.map(({ name }) => name)).toEqual(shared)
    expect(new Set(services.map(({ pid }) => pid)).size).toBe(shared.length)
    expect(await leases()).toEqual(shared.sort())
    await stopAndLook()
    expect(await leases()).toEqual([])
  },
  TEST_TIMEOUT_MS,
)

test(
  'a service and a nats-server that are killed come back',
  async () => {
    await start([])
    const before = await upState(data)
    for (const { pid } of before.services) if (pid !== undefined) process.kill(pid, 'SIGKILL')
    if (before.nats.pid !== undefined) process.kill(before.nats.pid, 'SIGKILL')
    const isBack = async () => {
      const after = await upState(data)
      return after.nats.pid !== before.nats.pid && after.services.every(({ restarts }) => restarts === 1)
    }
    await waitFor('everything runs again under new process ids', isBack, { timeoutMs: 120_000 })
  },
  TEST_TIMEOUT_MS,
)

test('an interrupt ends every process that it started', async () => {
  await stopAndLook()
})

async function start(flags: string[]): Promise<void> {
  up = await startUp(plane.kubeconfig, data, flags)
  stack.defer(() => up.kill())
}

/** The replicas that have a Lease. */
async function leases(): Promise<string[]> {
  const name = '{range .items[*]}{.metadata.annotations.setpoint\\.dev/replica}{"\\n"}{end}'
  const text = await plane.kubectl('get', 'leases', '-n', 'setpoint-system', '-o', `jsonpath=${name}`)
  return text.split('\n').filter(Boolean).sort()
}

async function stopAndLook(): Promise<void> {
  const { nats, services } = await upState(data)
  process.kill(up.pid, 'SIGINT')
  expect(await up.exited).toMatchObject({ signal: null })
  const pids = [nats.pid, ...services.map(({ pid }) => pid)].filter((pid) => pid !== undefined)
  expect(pids.filter(isAlive)).toEqual([])
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
