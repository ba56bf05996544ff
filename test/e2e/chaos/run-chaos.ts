import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { waitFor } from '@setpoint/testkit'
import { type AuditedWrite, auditedWrites, crossedWrites } from '../audited-writes.ts'
import { type BusyFleet, makeBusyFleet } from '../busy-fleet.ts'
import { NAMESPACE, startWholeSet, type WholeSet } from '../harness.ts'
import { recordManaged, type WatchRecord } from '../watch-record.ts'
import { type Fault, neighbourFaults, serviceFaults } from './faults.ts'
import { SeededRandom } from './random.ts'

export interface ChaosOptions {
  apps: number
  replicas: number
  /** How long things go wrong. */
  durationMs: number
  seed: number
  /** How long the fleet may take to follow when all is well again. */
  followMs: number
  log(line: string): void
}

export interface ChaosResult {
  commits: number
  faults: Record<string, number>
  /** How long the fleet took to be as Git says after the last fault. */
  followedAfterMs: number
  deleted: number
  /** Everything that must not have happened; empty when all is well. */
  wrong: string[]
  /** Largest sum of the services' memory in the middle and in the last third of the time, in MiB. */
  memoryMib: { middle: number; end: number }
}

/** Everything goes wrong, again and again, while commits flow; then looks whether the cluster is what Git says. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  await using stack = new AsyncDisposableStack()
  const set = stack.use(await startWholeSet({ replicas: options.replicas, audit: true, network: true }))
  const record = stack.use(await recordManaged(set.kube))
  const fleet = await makeBusyFleet(await set.git.create('fleet'), options.apps)
  await set.applyGitRepository('fleet', { url: fleet.repo.url })
  await Promise.all(fleet.apps.map((app) => set.applyKustomization(app, { path: `./apps/${app}` })))
  await followed(set, fleet, record, options.followMs)
  options.log(`${options.apps} Kustomizations are Ready; seed ${options.seed}`)
  const { faults, memoryMib } = await unrest(set, fleet, options)
  const start = performance.now()
  const problem = await followed(set, fleet, record, options.followMs).catch((error: Error) => error.message)
  const wrong = [
    ...(problem === undefined ? [] : [`the cluster is not what Git says: ${problem.slice(0, 4_000)}`]),
    ...record.deleted.filter((name) => fleet.permanent.has(name)).map((name) => `${name} was deleted`),
    ...record.wentBack.map((what) => `went back: ${what}`),
    ...crossedWrites(await auditedWrites(set.plane), appOf),
  ]
  const followedAfterMs = Math.round(performance.now() - start)
  return { commits: fleet.last, faults, followedAfterMs, deleted: record.deleted.length, wrong, memoryMib }
}

async function unrest(set: WholeSet, fleet: BusyFleet, { durationMs, seed, log }: ChaosOptions) {
  const until = performance.now() + durationMs
  const isOver = () => performance.now() >= until
  const faults: Record<string, number> = {}
  const strike = async (kinds: readonly Fault[], random: SeededRandom) => {
    while (!isOver()) {
      const fault = random.pick(kinds)
      faults[fault.name] = (faults[fault.name] ?? 0) + 1
      log(fault.name)
      await fault.strike(set, random).catch((error) => log(`${fault.name}: ${error}`))
      await delay(random.between(0, 1_500))
    }
  }
  const memory: number[] = []
  await Promise.all([
    strike(serviceFaults, new SeededRandom(seed)),
    strike(neighbourFaults, new SeededRandom(seed + 1)),
    commitUntil(set, fleet, isOver),
    measureUntil(set, memory, isOver),
  ])
  const third = Math.floor(memory.length / 3)
  const memoryMib = {
    middle: Math.max(0, ...memory.slice(third, 2 * third)),
    end: Math.max(0, ...memory.slice(2 * third)),
  }
  return { faults, memoryMib }
}

async function commitUntil(set: WholeSet, fleet: BusyFleet, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await fleet.commit()
    set.bus.hint({ kind: 'GitRepository', namespace: NAMESPACE, name: 'fleet' }, { requestedBy: 'chaos' })
    await delay(300)
  }
}

async function measureUntil({ processes }: WholeSet, memory: number[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const each = await Promise.all(processes.map(({ child }) => residentMib(child.pid)))
    memory.push(Math.round(each.reduce((sum, mib) => sum + mib, 0)))
    await delay(1_000)
  }
}

async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

/** Everything is Ready at the last commit, and the cluster is what Git says. */
async function followed(
  set: WholeSet,
  fleet: BusyFleet,
  record: WatchRecord,
  timeoutMs: number,
): Promise<undefined> {
  const head = await fleet.repo.head()
  const hints = setInterval(() => void set.hint().catch(() => undefined), 1_000)
  try {
    for (const app of fleet.apps) await set.waitReady('Kustomization', app, head, timeoutMs)
    await waitFor('the watcher has seen everything', () => {
      const [present, expected] = [JSON.stringify(record.present()), JSON.stringify(fleet.expected())]
      if (present === expected) return true
      throw new Error(`it is ${present}, not ${expected}`)
    })
  } finally {
    clearInterval(hints)
  }
  return undefined
}

/** The Kustomization that a write of apply belongs to. */
export function appOf({ writer, resource, name }: AuditedWrite): string | undefined {
  if (!writer.startsWith('apply-') || !/^(kustomizations|configmaps)/.test(resource)) return undefined
  return /^app-\d+/.exec(name)?.[0]
}
