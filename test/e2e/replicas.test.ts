import { GIT_REPOSITORY } from '@setpoint/contracts'
import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServiceName } from '../chart/identities.ts'
import { auditedWrites, crossedWrites } from './audited-writes.ts'
import { type BusyFleet, makeBusyFleet } from './busy-fleet.ts'
import { appOf } from './chaos/run-chaos.ts'
import { NAMESPACE, START_TIMEOUT_MS, startWholeSet, type WholeSet } from './harness.ts'
import type { ServiceProcess } from './service-process.ts'
import { recordManaged, type WatchRecord } from './watch-record.ts'

/** Two replicas of every service, with the chart's rights: they share the work, and never two are on one object. */

const APPS = 24
const FOLLOW_MS = 60_000
const TEST_TIMEOUT_MS = 180_000

let set: WholeSet
let fleet: BusyFleet
let record: WatchRecord
const stack = new AsyncDisposableStack()

beforeAll(async () => {
  set = stack.use(await startWholeSet({ replicas: 2, audit: true }))
  record = stack.use(await recordManaged(set.kube))
  fleet = await makeBusyFleet(await set.git.create('fleet'), APPS)
  await set.applyGitRepository('fleet', { url: fleet.repo.url })
  await Promise.all(fleet.apps.map((app) => set.applyKustomization(app, { path: `./apps/${app}` })))
  await followed()
}, START_TIMEOUT_MS)

afterAll(() => stack.disposeAsync())

test('each of two replicas of apply works on a share, and each Kustomization has one writer', async () => {
  const writers = await writersOf('kustomizations/status')
  expect(writers.size).toBe(APPS)
  expect([...writers.values()].every((names) => names.size === 1)).toBe(true)
  expect(sharesOf(writers)).toEqual(['apply-0', 'apply-1'])
})

test('both replicas of render have built', async () => {
  for (const render of replicasOf('kustomize-render'))
    expect(await render.metric('setpoint_renders_total')).toBeGreaterThan(0)
})

test('every replica of source hands out the artifact', async () => {
  const { status } = await set.gitRepository('fleet')
  const owner = new URL(status?.artifact?.url ?? '')
  for (const source of replicasOf('source')) {
    const answer = await fetch(`http://${source.artifacts}${owner.pathname}`)
    expect([source.replica, answer.status]).toEqual([source.replica, 200])
    expect((await answer.arrayBuffer()).byteLength).toBe(status?.artifact?.size)
  }
})

test.each(['apply', 'kustomize-render', 'source'] as const)(
  'kill -9 of a replica of %s: the other goes on with its work, and it comes back to its share',
  async (name) => {
    const victim = await busiest(name)
    const taken = replicasOf(name).flatMap((other) => (other === victim ? [] : [takesOver(other)]))
    await victim.kill()
    await touchAll()
    for (const others of taken) await others()
    await followed()
    await victim.start()
    await touchAll()
    await followed()
  },
  TEST_TIMEOUT_MS,
)

test(
  'a replica of apply that stops hands over at once; one that is added takes a fair share, and nothing else moves',
  async () => {
    let at = Date.now()
    await touchAll()
    await followed()
    const before = await writersSince(at)
    const [, second] = replicasOf('apply') as [ServiceProcess, ServiceProcess]
    await second.stop()
    at = Date.now()
    await touchAll()
    await followed()
    expect(sharesOf(await writersSince(at))).toEqual(['apply-0'])
    await second.start()
    await waitFor('its share is its own again', () => second.logs().includes('took over'), {
      timeoutMs: FOLLOW_MS,
    })
    at = Date.now()
    await touchAll()
    await followed()
    const after = await writersSince(at)
    expect(last(after)).toEqual(last(before))
  },
  TEST_TIMEOUT_MS,
)

test(
  'a replica of apply that stood still for longer than its Lease writes nothing when it wakes',
  async () => {
    const [paused] = replicasOf('apply') as [ServiceProcess]
    await touchAll()
    paused.pause()
    const pausedAt = Date.now()
    await touchAll()
    await followed()
    const wokenAt = Date.now()
    paused.resume()
    await waitFor('it takes part again', () => paused.logs().split('took over').length > 1, {
      timeoutMs: FOLLOW_MS,
    })
    await touchAll()
    await followed()
    const inBetween = (await auditedWrites(set.plane)).filter(
      ({ writer, from }) => writer === paused.replica && from > pausedAt + 1_000 && from < wokenAt,
    )
    expect(inBetween).toEqual([])
  },
  TEST_TIMEOUT_MS,
)

test('through all of it no two replicas were on one object, no value went back, and nothing in Git was deleted', async () => {
  const writes = await auditedWrites(set.plane)
  expect(crossedWrites(writes, { thingOf: appOf, withinMs: 3_000 })).toEqual([])
  expect(record.wentBack).toEqual([])
  expect(record.deleted.filter((name) => fleet.permanent.has(name))).toEqual([])
  expect(set.refusals()).toEqual([])
})

/** A commit that changes every app. */
async function touchAll(): Promise<void> {
  await fleet.commitAll()
  set.bus.hint({ kind: GIT_REPOSITORY.kind, namespace: NAMESPACE, name: 'fleet' }, { requestedBy: 'test' })
}

async function followed(): Promise<void> {
  const head = await fleet.repo.head()
  for (const app of fleet.apps) await set.waitReady('Kustomization', app, head, FOLLOW_MS)
  await waitFor('the watcher has seen everything', () => {
    expect(record.present()).toEqual(fleet.expected())
    return true
  })
}

function replicasOf(name: ServiceName): ServiceProcess[] {
  return set.processes.filter((one) => one.name === name)
}

/** Waits for the next time that a replica takes work over. */
function takesOver(replica: ServiceProcess): () => Promise<unknown> {
  const times = () => replica.logs().split('took over').length
  const before = times()
  return () => waitFor(`${replica.replica} has its share`, () => times() > before, { timeoutMs: FOLLOW_MS })
}

/** One GitRepository is with one replica of source; the others share what there is. */
async function busiest(name: ServiceName): Promise<ServiceProcess> {
  const replicas = replicasOf(name)
  const work = await Promise.all(replicas.map((one) => one.metric('workqueue_finished_total')))
  return replicas[work.indexOf(Math.max(...work))] as ServiceProcess
}

type Writers = Map<string, Set<string>>

/** Who wrote to each object of a kind since a time. */
async function writersOf(resource: string, since = 0): Promise<Writers> {
  const writers: Writers = new Map()
  for (const { name, writer } of (await auditedWrites(set.plane)).filter(
    (write) => write.resource === resource && write.from >= since,
  ))
    writers.set(name, (writers.get(name) ?? new Set()).add(writer))
  return writers
}

const writersSince = (since: number) => writersOf('kustomizations/status', since)
const sharesOf = (writers: Writers) =>
  [...new Set([...writers.values()].flatMap((names) => [...names]))].sort()
const last = (writers: Writers) =>
  Object.fromEntries([...writers].map(([name, names]) => [name, [...names].at(-1)]).sort())
