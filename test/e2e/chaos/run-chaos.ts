import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { inspectStreams } from '@setpoint/bus'
import { startRegistry } from '@setpoint/testkit'
import { type AuditedWrite, auditedWrites, crossedWrites } from '../audited-writes.ts'
import { type BusyFleet, makeBusyFleet } from '../busy-fleet.ts'
import { TEST_USER } from '../chart-nats.ts'
import { NAMESPACE, startWholeSet, type WholeSet } from '../harness.ts'
import { recordManaged, type WatchRecord } from '../watch-record.ts'
import { type Fault, neighbourFaults, serviceFaults } from './faults.ts'
import { followed } from './follow.ts'
import { type ImageCircle, makeImageCircle } from './image-circle.ts'
import { SeededRandom } from './random.ts'
import { timelineOf } from './timeline.ts'

export interface ChaosOptions {
  apps: number
  replicas: number
  /** How long things go wrong. */
  durationMs: number
  seed: number
  /** The fleet is given up when nothing of it has moved for so long. */
  stuckMs: number
  log(line: string): void
}

export interface ChaosResult {
  commits: number
  faults: Record<string, number>
  /** How long the fleet took to be as Git says after the last fault. */
  followedAfterMs: number
  deleted: number
  /** Everything that must not have happened, with what led to it; empty when all is well. */
  wrong: string[]
  /** Readers of each stream at the end; each process that was killed may have left one for some minutes. */
  readers: Record<string, number>
  /** Sum of the services' memory in MiB: before, the largest in the middle and in the last third, and when all is quiet again. */
  memoryMib: { before: number; middle: number; end: number; after: number }
}

/** Everything goes wrong, again and again, while commits flow; then looks whether the cluster is what Git says. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(await startRegistry())
  const set = stack.use(await startWholeSet({ replicas: options.replicas, audit: true, networks: true }))
  const record = stack.use(await recordManaged(set.kube))
  const fleet = await makeBusyFleet(await set.git.create('fleet'), options.apps)
  await set.applyGitRepository('fleet', { url: fleet.repo.url })
  await Promise.all(fleet.apps.map((app) => set.applyKustomization(app, { path: `./apps/${app}` })))
  const circle = await makeImageCircle(set, registry)
  await followed(set, fleet, record, options.stuckMs)
  options.log(`${options.apps} Kustomizations are Ready; seed ${options.seed}`)
  const before = await memoryOf(set)
  const { faults, memoryMib } = await unrest(set, { fleet, circle }, options)
  options.log('nothing goes wrong any more')
  const start = performance.now()
  const problems = await problemsOf([
    ['the cluster is not what Git says', () => followed(set, fleet, record, options.stuckMs)],
    ['an image is not live', () => circle.closed(options.stuckMs)],
    ['there is work left', () => set.waitIdle()],
  ])
  const followedAfterMs = Math.round(performance.now() - start)
  return {
    commits: fleet.last,
    faults,
    followedAfterMs,
    deleted: record.deleted.length,
    wrong: [...problems, ...(await circle.wrong()), ...(await wrongsOf(set, fleet, record))],
    readers: await readersOf(set),
    memoryMib: { before, ...memoryMib, after: await memoryOf(set) },
  }
}

/** Of so many it is told what led to them. */
const MAX_EXPLAINED = 3

async function wrongsOf(set: WholeSet, fleet: BusyFleet, record: WatchRecord): Promise<string[]> {
  const wrongs = [
    ...record.deleted
      .filter((name) => fleet.permanent.has(name))
      .map((name) => ({ what: `${name} was deleted`, app: appOfName(name), at: record.deletedAt.get(name) })),
    ...record.wentBack.map(({ name, from, to, at }) => ({
      what: `${name} went back from ${from} to ${to}`,
      app: appOfName(name),
      at,
    })),
    ...crossedWrites(await auditedWrites(set.plane), appOf).map(({ thing, writers, at }) => ({
      what: `${thing} had two writers at once: ${writers.join(', ')}`,
      app: thing,
      at,
    })),
  ]
  const explained = wrongs.map(async ({ what, app = '', at = 0 }, index) => {
    const line = `${new Date(at).toISOString().slice(11, 23)} ${what}`
    return index < MAX_EXPLAINED ? `${line}\n${await timelineOf(set, app, at)}` : line
  })
  return Promise.all(explained)
}

async function problemsOf(steps: readonly [string, () => Promise<unknown>][]): Promise<string[]> {
  const problems: string[] = []
  for (const [what, step] of steps)
    await step().catch((error: Error) => problems.push(`${what}: ${error.message.slice(0, 4_000)}`))
  return problems
}

async function unrest(
  set: WholeSet,
  { fleet, circle }: { fleet: BusyFleet; circle: ImageCircle },
  { durationMs, seed, log }: ChaosOptions,
) {
  const until = performance.now() + durationMs
  const isOver = () => performance.now() >= until
  const faults: Record<string, number> = {}
  const strike = async (kinds: readonly Fault[], random: SeededRandom) => {
    while (!isOver()) {
      const fault = random.pick(kinds)
      faults[fault.name] = (faults[fault.name] ?? 0) + 1
      log(fault.name)
      const whom = await fault.strike(set, random).catch((error) => `${error}`)
      if (whom !== undefined) log(`  over: ${fault.name}: ${whom}`)
      await delay(random.between(0, 1_500))
    }
  }
  const memory: number[] = []
  await Promise.all([
    strike(serviceFaults, new SeededRandom(seed)),
    strike(neighbourFaults, new SeededRandom(seed + 1)),
    commitUntil(set, fleet, isOver),
    repeatUntil(isOver, 3_000, () => circle.push()),
    repeatUntil(isOver, 1_000, async () => memory.push(await memoryOf(set))),
  ])
  const third = Math.floor(memory.length / 3)
  const memoryMib = {
    middle: Math.max(0, ...memory.slice(third, 2 * third)),
    end: Math.max(0, ...memory.slice(2 * third)),
  }
  return { faults, memoryMib }
}

function commitUntil(set: WholeSet, fleet: BusyFleet, isOver: () => boolean): Promise<void> {
  return repeatUntil(isOver, 300, async () => {
    await fleet.commit()
    set.bus.hint({ kind: 'GitRepository', namespace: NAMESPACE, name: 'fleet' }, { requestedBy: 'chaos' })
  })
}

async function repeatUntil(isOver: () => boolean, eachMs: number, act: () => Promise<unknown>) {
  while (!isOver()) {
    await act()
    await delay(eachMs)
  }
}

async function memoryOf({ processes }: WholeSet): Promise<number> {
  const each = await Promise.all(processes.map(({ child }) => residentMib(child.pid)))
  return Math.round(each.reduce((sum, mib) => sum + mib, 0))
}

async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

async function readersOf({ nats }: WholeSet): Promise<Record<string, number>> {
  const log = { info() {}, warn() {} }
  const options = { url: nats.url, producer: 'test', log, now: Date.now, ...TEST_USER }
  return Object.fromEntries((await inspectStreams(options)).map(({ name, consumers }) => [name, consumers]))
}

/** The Kustomization that a write of apply belongs to. */
export function appOf({ writer, resource, name }: AuditedWrite): string | undefined {
  if (!writer.startsWith('apply-') || !/^(kustomizations|configmaps)/.test(resource)) return undefined
  return appOfName(name)
}

const appOfName = (name: string): string | undefined => /^app-\d+/.exec(name)?.[0]
