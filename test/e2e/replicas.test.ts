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

/** Three replicas of every service, with the chart's rights: they share the work, and never two are on one object. */

const APPS = 24
const REPLICAS = 3
const FOLLOW_MS = 60_000
const TEST_TIMEOUT_MS = 180_000

let set: WholeSet
let fleet: BusyFleet
let record: WatchRecord
const stack = new AsyncDisposableStack()

beforeAll(async () => {
  set = stack.use(await startWholeSet({ replicas: REPLICAS, audit: true }))
  record = stack.use(await recordManaged(set.kube))
  fleet = await makeBusyFleet(await set.git.create('fleet'), APPS)
  await set.applyGitRepository('fleet', { url: fleet.repo.url })
  await Promise.all(fleet.apps.map((app) => set.applyKustomization(app, { path: `./apps/${app}` })))
  await followed()
}, START_TIMEOUT_MS)

afterAll(() => stack.disposeAsync())

test('each replica of apply works on a fair share, and each Kustomization has one writer', async () => {
  const writers = await writersOf('kustomizations/status')
  expect(writers.size).toBe(APPS)
  expect([...writers.values()].every((names) => names.size === 1)).toBe(true)
  const shares = sharesOf(writers)
  expect(Object.keys(shares)).toEqual(['apply-0', 'apply-1', 'apply-2'])
  for (const share of Object.values(shares)) expect(share.length).toBeGreaterThanOrEqual(APPS / REPLICAS / 2)
})

test('every replica of render has built', async () => {
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
  'kill -9 of a replica of %s: the others go on with its work, and it comes back to its share',
  async (name) => {
    const victim = await busiest(name)
    const takenOver = takesOver(...replicasOf(name).filter((other) => other !== victim))
    await victim.kill()
    const killedAt = performance.now()
    await touchAll()
    await takenOver()
    report(name, 'the work of a killed replica was taken over', killedAt)
    await followed()
    report(name, 'what was committed after the kill was live everywhere', killedAt)
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
    const before = last(await writersSince(at))
    const added = replicasOf('apply')[REPLICAS - 1] as ServiceProcess
    await added.stop()
    at = Date.now()
    await touchAll()
    await followed()
    const without = last(await writersSince(at))
    const moved = fleet.apps.filter((app) => without[app] !== before[app])
    expect(moved).toEqual(fleet.apps.filter((app) => before[app] === added.replica))
    expect(Object.values(without)).not.toContain(added.replica)
    await added.start()
    const itsShareIsItsOwnAgain = async () => {
      at = Date.now()
      await touchAll()
      await followed()
      expect(last(await writersSince(at))).toEqual(before)
      return true
    }
    await waitFor('its share is its own again', itsShareIsItsOwnAgain, { timeoutMs: FOLLOW_MS })
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
    const takenBack = takesOver(paused)
    paused.resume()
    await takenBack()
    await touchAll()
    await followed()
    const inBetween = (await auditedWrites(set.plane)).filter(
      ({ writer, from }) => writer === paused.replica && from > pausedAt + 1_000 && from < wokenAt,
    )
    expect(inBetween).toEqual([])
  },
  TEST_TIMEOUT_MS,
)

test(
  'NATS loses everything while commits go on: every replica says its share again, and the fleet follows',
  async () => {
    await set.nats.kill()
    await fleet.commitAll()
    await set.nats.restart({ wipe: true })
    await followed()
    await touchAll()
    await followed()
  },
  TEST_TIMEOUT_MS,
)

test('through all of it no two replicas were on one object, no value went back, and nothing in Git was deleted', async () => {
  const writes = await auditedWrites(set.plane)
  expect(crossedWrites(writes, appOf)).toEqual([])
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
  await waitFor('the source has the commit', () => isFetched(head), {
    timeoutMs: FOLLOW_MS,
    intervalMs: 1_000,
  })
  for (const app of fleet.apps) await set.waitReady('Kustomization', app, head, FOLLOW_MS)
  await waitFor('the watcher has seen everything', () => {
    expect(record.present()).toEqual(fleet.expected())
    return true
  })
}

/** Asks again: a hint that is sent while the service is cut off from the bus is lost. */
async function isFetched(head: string): Promise<boolean> {
  await set.hint()
  return (await set.gitRepository('fleet')).status?.artifact?.revision.endsWith(head) === true
}

function replicasOf(name: ServiceName): ServiceProcess[] {
  return set.processes.filter((one) => one.name === name)
}

/** Prints a figure; no test asserts it. */
function report(name: ServiceName, what: string, since: number): void {
  process.stdout.write(`${name}: ${what} after ${((performance.now() - since) / 1_000).toFixed(1)} s\n`)
}

/** Waits for the next time that one of some replicas takes work over. */
function takesOver(...replicas: ServiceProcess[]): () => Promise<unknown> {
  const since = new Date().toISOString()
  const saysSo = (line: string) =>
    line.includes('took over') && (/"ts":"([^"]+)"/.exec(line)?.[1] ?? '') > since
  const isTaken = () => replicas.some((one) => one.logs().split('\n').some(saysSo))
  return () => waitFor('the work is taken over', isTaken, { timeoutMs: FOLLOW_MS })
}

/** The one GitRepository is with one replica of source; of the others all have a share. */
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
/** The one that wrote last to each object. */
const last = (writers: Writers): Record<string, string | undefined> =>
  Object.fromEntries([...writers].map(([name, names]) => [name, [...names].at(-1)]))
const sharesOf = (writers: Writers) =>
  Object.fromEntries(
    [...Map.groupBy(writers.keys(), (name) => last(writers)[name] ?? '')].sort(([a], [b]) =>
      a < b ? -1 : 1,
    ),
  )
