import { rm } from 'node:fs/promises'
import { setInterval as ticks } from 'node:timers/promises'
import { KUSTOMIZATION } from '@setpoint/contracts'
import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SERVICES, type ServiceName } from '../chart/identities.ts'
import { writesSince } from './api-writes.ts'
import { type BusyFleet, makeBusyFleet } from './busy-fleet.ts'
import { NAMESPACE, START_TIMEOUT_MS, startWholeSet, type WholeSet } from './harness.ts'
import { recordManaged, type WatchRecord } from './watch-record.ts'

/** Whatever is killed, and whenever: the cluster ends as Git says, and nothing that is in Git was ever deleted. */

const APPS = 50
const COMMIT_EACH_MS = 250
/** How long the fleet may take to follow, on a machine that is busy. */
const FOLLOW = { timeoutMs: 60_000 }
const TEST_TIMEOUT_MS = 300_000

let set: WholeSet
let fleet: BusyFleet
let record: WatchRecord
const stack = new AsyncDisposableStack()

beforeAll(async () => {
  set = stack.use(await startWholeSet())
  record = stack.use(await recordManaged(set.kube))
  fleet = await makeBusyFleet(await set.git.create('fleet'), APPS)
  await set.applyGitRepository('fleet', { url: fleet.repo.url })
}, START_TIMEOUT_MS)

afterAll(() => stack.disposeAsync())

test(
  'kill -9 of every service and of NATS while commits flow: nothing that is in Git is ever deleted',
  async () => {
    const committing = commitUntilStopped()
    await Promise.all(fleet.apps.map((app) => set.applyKustomization(app, { path: `./apps/${app}` })))
    for (const victim of ['apply', 'kustomize-render', 'source'] as const) await killAndRecover(victim)
    await loseNats()
    for (const victim of ['source', 'apply', 'kustomize-render'] as const) await killAndRecover(victim)
    await committing.stop()
    await followed()
    expect(record.deleted.filter((name) => fleet.permanent.has(name))).toEqual([])
    for (const name of fleet.permanent) expect([name, record.uids.get(name)?.size]).toEqual([name, 1])
    expect(record.deleted.length).toBeGreaterThan(0)
  },
  TEST_TIMEOUT_MS,
)

test(
  'the API server is away while commits flow: once it is back the cluster follows, and nothing was deleted',
  async () => {
    const committing = commitUntilStopped()
    await committed(2)
    await set.plane.stopApiServer()
    await committed(4)
    await set.plane.startApiServer()
    await reached(fleet.last)
    await committing.stop()
    await followed()
    expect(record.deleted.filter((name) => fleet.permanent.has(name))).toEqual([])
    for (const name of fleet.permanent) expect([name, record.uids.get(name)?.size]).toEqual([name, 1])
  },
  TEST_TIMEOUT_MS,
)

test(
  'once settled, two looks at everything write nothing',
  async () => {
    await set.waitIdle()
    const before = await set.writes()
    for (let look = 1; look <= 2; look += 1) {
      await lookAtEverything()
      expect(writesSince(before, await set.writes())).toEqual({})
    }
  },
  TEST_TIMEOUT_MS,
)

test.each([
  ['the services before NATS', startServicesFirst],
  ['from the back to the front', startInReverse],
])(
  'everything is killed and NATS and the mirror are wiped; started %s it writes nothing',
  async (_order, startAll) => {
    await set.waitIdle()
    for (const name of SERVICES) await set.services[name].kill()
    await set.nats.kill()
    await rm(set.storage, { recursive: true, force: true })
    const before = await set.writes()
    await startAll()
    await untilAllChecked()
    await set.waitIdle()
    expect(writesSince(before, await set.writes())).toEqual({})
  },
  TEST_TIMEOUT_MS,
)

test(
  'after all that the next commit goes live',
  async () => {
    await fleet.commit()
    await followed()
    expect(record.deleted.filter((name) => fleet.permanent.has(name))).toEqual([])
  },
  TEST_TIMEOUT_MS,
)

/** Commits at a steady pace, as people do who know nothing of the trouble. */
function commitUntilStopped() {
  const stopping = new AbortController()
  const done = (async () => {
    for await (const _ of ticks(COMMIT_EACH_MS)) {
      if (stopping.signal.aborted) return
      await fleet.commit()
      set.bus.hint({ kind: 'GitRepository', namespace: NAMESPACE, name: 'fleet' }, { requestedBy: 'test' })
    }
  })()
  return {
    stop: async () => {
      stopping.abort()
      await done
    },
  }
}

async function killAndRecover(victim: ServiceName): Promise<void> {
  await set.services[victim].kill()
  await committed(2)
  await set.services[victim].start()
  await reached(fleet.last)
}

async function loseNats(): Promise<void> {
  await set.nats.kill()
  await committed(2)
  await set.nats.restart({ wipe: true })
  await reached(fleet.last)
}

/** Some commits are made while a part is away. */
async function committed(count: number): Promise<void> {
  const until = fleet.last + count
  await waitFor(`commit ${until} is made`, () => fleet.last >= until)
}

/** The cluster has come to a commit. */
async function reached(number: number): Promise<void> {
  await waitFor(
    `commit ${number} is live`,
    () => {
      const live = record.present()['app-0']?.value
      if (Number(live) >= number) return true
      throw new Error(`the cluster is at ${live}, Git at ${fleet.last}`)
    },
    FOLLOW,
  )
}

/** Everything is Ready at the last commit, and the cluster is what Git says. */
async function followed(): Promise<void> {
  await set.hint()
  const head = await fleet.repo.head()
  for (const app of fleet.apps) await set.waitReady('Kustomization', app, head, FOLLOW.timeoutMs)
  await set.waitReady('GitRepository', 'fleet', head)
  await waitFor('the watcher has seen everything', () => {
    expect(record.present()).toEqual(fleet.expected())
    return true
  })
}

/** Hints for the source and for every Kustomization: full checks of all objects. */
async function lookAtEverything(): Promise<void> {
  const [fetched, checked] = [await sourceRuns(), await dryRuns()]
  await set.hint()
  for (const name of fleet.apps)
    set.bus.hint({ kind: KUSTOMIZATION.kind, namespace: NAMESPACE, name }, { requestedBy: 'test' })
  await set.bus.flush()
  const objects = Object.keys(fleet.expected()).length
  await waitFor('the source was looked at', async () => (await sourceRuns()) > fetched)
  await waitFor('every object was checked', async () => (await dryRuns()) >= checked + objects)
  await set.waitIdle()
}

/** After a start: every object was asked about, and the source has been read. */
async function untilAllChecked(): Promise<void> {
  const objects = Object.keys(fleet.expected()).length
  await waitFor('every object was checked', async () => (await dryRuns()) >= objects, FOLLOW)
  await waitFor('the source was looked at', async () => (await sourceRuns()) > 0, FOLLOW)
}

const sourceRuns = () => set.services.source.metric('workqueue_finished_total')
const dryRuns = () => set.services.apply.metric('setpoint_api_requests_total', { verb: 'dry-run' })

async function startServicesFirst(): Promise<void> {
  const starting = SERVICES.map((name) => set.services[name].start())
  await set.nats.restart({ wipe: true })
  await Promise.all(starting)
}

async function startInReverse(): Promise<void> {
  await set.nats.restart({ wipe: true })
  for (const name of SERVICES.toReversed()) await set.services[name].start()
}
