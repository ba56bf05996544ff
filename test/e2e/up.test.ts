import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Child,
  type ControlPlane,
  startChild,
  startControlPlane,
  temporaryDirectory,
  waitFor,
} from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** `setpoint up` against a cluster that it did not start, with a nats-server of its own. */

interface State {
  nats: { pid?: number }
  services: { name: string; pid?: number; url: string; restarts: number }[]
}

const program = join(import.meta.dirname, '../../bin/setpoint')
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
)

test('a service and a nats-server that are killed come back', async () => {
  await start([])
  const before = await ready()
  for (const { pid } of before.services) if (pid !== undefined) process.kill(pid, 'SIGKILL')
  if (before.nats.pid !== undefined) process.kill(before.nats.pid, 'SIGKILL')
  await waitFor('everything runs again under new process ids', async () => {
    const after = await ready()
    return after.nats.pid !== before.nats.pid && after.services.every(({ restarts }) => restarts === 1)
  })
})

test('an interrupt ends every process that it started', async () => {
  await stopAndLook()
})

async function start(flags: string[]): Promise<void> {
  up = await startChild('setpoint up', program, [
    'up',
    '--kubeconfig',
    plane.kubeconfig,
    '--data',
    data,
    ...flags,
  ])
  stack.defer(() => up.kill())
  await waitFor('setpoint is up', ready).catch((error: Error) => {
    throw new Error(`${error.message}\n${up.logs()}`)
  })
}

/** The state that `up` writes down, once every service says that it is ready. */
async function ready(): Promise<State> {
  const state = JSON.parse(await readFile(join(data, 'state.json'), 'utf8')) as State
  for (const { name, url } of state.services)
    if (!(await fetch(`${url}/readyz`)).ok) throw new Error(`${name} is not ready`)
  if (state.services.length !== 3) throw new Error(`${state.services.length} services`)
  return state
}

async function stopAndLook(): Promise<void> {
  const { nats, services } = await ready()
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
