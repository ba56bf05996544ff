import { loadavg } from 'node:os'
import type { KubeObject } from '@setpoint/manifest'
import { WaitTimeout, waitFor } from '@setpoint/testkit'
import { type BenchEnvironment, startEnvironment, type Usage } from './environment.ts'
import { appConfig, appName, fleetFiles } from './fleet.ts'
import { measureFloor } from './floor.ts'
import { NAMESPACE, type StartSystem } from './system.ts'
import { difference, sumOf, sumOfPeaksMib, writesOf } from './usage.ts'

const SYNC_TIMEOUT_MS = 15 * 60_000
/** For all Kustomizations to be checked once. */
const CHECKS_TIMEOUT_MS = 10 * 60_000
/** No further commit, and no further edit, is made after this time. */
const CHANGES_FOR_MS = 5 * 60_000
/** A page of metrics costs the service as much as a few Kustomizations. */
const POLL_MS = 2_000
/** Leases and the like. */
const MAX_QUIET_WRITES = 2

export interface BenchOptions {
  /** Kustomizations. */
  apps: number
  /** Commits that each touch one app. */
  commits: number
  /** Edits by hand that are to be healed. */
  edits: number
}

export interface BenchResult {
  /** What was measured. */
  title: string
  /** Of the machine, when the run began. */
  load: number
  apps: number
  files: number
  /**
   * seconds: until all are Ready. usage: until the events of that have been written. floorSeconds: the same API server
   * alone, which is given the same objects.
   */
  cold: { seconds: number; floorSeconds: number; usage: Usage }
  /**
   * seconds: from the hint to the new value in the cluster, one a commit. hot: what was used until then, the status of
   * the app included. usage: until the whole fleet has been told the revision.
   */
  commits: { seconds: number[]; hot: Usage; usage: Usage }
  /** A full check of the whole fleet that somebody asks for, and that finds nothing; undefined when it did not end in time. */
  check: Usage | undefined
  /** The checks that each Kustomization does once at its interval; undefined when they did not end in time. */
  interval: Usage | undefined
  /** byItself: else somebody asks for a check right after the edit. */
  drift: { byItself: boolean; seconds: number[]; usage: Usage }
  /** Of the whole run. */
  memory: { togetherMib: number; sumOfPeaksMib: number }
}

/** One whole run on parts of its own: cold sync, one-app commits, drift. */
export async function runBench(startSystem: StartSystem, options: BenchOptions): Promise<BenchResult> {
  const [load = 0] = loadavg()
  const floorSeconds = await measureFloor(options.apps)
  await using environment = await startEnvironment(startSystem)
  const { title } = environment.system
  const files = fleetFiles(options.apps)
  await environment.repo.commit(files, { message: 'The fleet' })
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now()
    console.log(`${title}, N = ${options.apps}: ${name} …`)
    const result = await work()
    console.log(`  ${Math.round((performance.now() - start) / 1000)} s`)
    return result
  }
  const attempt = (name: string, work: () => Promise<Usage>) => step(name, () => unlessTooSlow(work))
  const cold = await step('cold sync', () => coldSync(environment, options.apps))
  const commits = await step('commits', () => oneAppCommits(environment, options))
  const drift = await step('drift', () => healDrift(environment, options))
  const check = await attempt('a check of everything', () => noChangeCheck(environment, options))
  const interval = await attempt('one interval', () => intervalCheck(environment, options))
  const { length: fileCount } = Object.keys(files)
  const { apps } = options
  const end = await environment.quietUsage()
  return {
    title,
    load,
    apps,
    files: fileCount,
    cold: { ...cold, floorSeconds },
    commits,
    drift,
    check,
    interval,
    memory: { togetherMib: end.togetherMib, sumOfPeaksMib: sumOfPeaksMib(end) },
  }
}

/** What was measured already is not lost to a system that does not get to its end. */
async function unlessTooSlow(work: () => Promise<Usage>): Promise<Usage | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error
    console.log(`  ${error.message}`)
    return undefined
  }
}

async function coldSync(environment: BenchEnvironment, apps: number) {
  await environment.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  const before = await environment.usage()
  const start = performance.now()
  await environment.create(gitRepository(environment.repo.url))
  const indexes = Array.from({ length: apps }, (_, index) => index)
  await Promise.all(indexes.map((index) => environment.create(kustomization(index))))
  const head = await environment.repo.head()
  await settled(environment, apps, head, SYNC_TIMEOUT_MS)
  const seconds = (performance.now() - start) / 1000
  await quiet(environment)
  return { seconds, usage: difference(before, await environment.usage()) }
}

/** What is still on its way, such as events, has been written: it would be counted with what comes next. */
async function quiet(environment: BenchEnvironment): Promise<void> {
  let before = await environment.quietUsage()
  const isQuiet = async () => {
    const now = await environment.quietUsage()
    const writes = writesOf(difference(before, now))
    before = now
    return writes <= MAX_QUIET_WRITES
  }
  await waitFor('nothing is written', isQuiet, { timeoutMs: SYNC_TIMEOUT_MS, intervalMs: POLL_MS })
}

async function oneAppCommits(environment: BenchEnvironment, { apps, commits }: BenchOptions) {
  const before = await environment.usage()
  const hot: Usage[] = []
  const seconds: number[] = []
  const end = performance.now() + CHANGES_FOR_MS
  for (let number = 0; number < commits && performance.now() < end; number += 1) {
    const begun = await environment.quietUsage()
    const index = (number * 37) % apps
    const value = `commit-${number}`
    const head = await environment.repo.commit(appConfig(index, value), {
      message: `Change ${appName(index)}`,
    })
    const seen = environment.seesConfigValue(appName(index), value, SYNC_TIMEOUT_MS)
    const start = performance.now()
    await Promise.all([environment.system.hint(), seen])
    seconds.push((performance.now() - start) / 1000)
    const options = { intervalMs: 2, timeoutMs: SYNC_TIMEOUT_MS }
    await waitFor('the app is Ready', () => environment.isReadyAt(appName(index), head), options)
    hot.push(difference(begun, await environment.quietUsage()))
    await settled(environment, apps, head, SYNC_TIMEOUT_MS)
  }
  return { seconds, hot: sumOf(hot), usage: difference(before, await environment.usage()) }
}

/** Every Kustomization is asked to look at all of its objects. */
async function noChangeCheck(environment: BenchEnvironment, { apps }: BenchOptions): Promise<Usage> {
  const before = await environment.quietUsage()
  const { system } = environment
  const checked = await system.checksDone()
  await Promise.all(Array.from({ length: apps }, (_, index) => system.check(appName(index))))
  await waitFor('everything is checked', async () => (await system.checksDone()) >= checked + apps, {
    timeoutMs: CHECKS_TIMEOUT_MS,
    intervalMs: POLL_MS,
  })
  return difference(before, await environment.quietUsage())
}

/** Long enough for the checks of one interval to be spread out, short enough to wait for it. */
const INTERVAL = '1m'

/** Each Kustomization gets a short interval; from when all have taken it, one check each. */
async function intervalCheck(environment: BenchEnvironment, { apps }: BenchOptions): Promise<Usage> {
  const indexes = Array.from({ length: apps }, (_, index) => index)
  await Promise.all(indexes.map((index) => environment.setInterval(appName(index), INTERVAL)))
  const options = { timeoutMs: CHECKS_TIMEOUT_MS, intervalMs: POLL_MS }
  await waitFor('all know their interval', () => environment.observed() === apps, options)
  const before = await environment.quietUsage()
  const checked = await environment.system.checksDone()
  await waitFor(
    'one check each',
    async () => (await environment.system.checksDone()) >= checked + apps,
    options,
  )
  return difference(before, await environment.quietUsage())
}

async function healDrift(environment: BenchEnvironment, { apps, edits }: BenchOptions) {
  const before = await environment.usage()
  const { system } = environment
  const seconds: number[] = []
  const end = performance.now() + CHANGES_FOR_MS
  for (let number = 0; number < edits && performance.now() < end; number += 1) {
    const name = appName((number * 53) % apps)
    const right = environment.configValue(name)
    // Looked for before the edit is answered: healing may be faster than the answer.
    const healed = environment.seesConfigValue(name, right, SYNC_TIMEOUT_MS)
    const start = performance.now()
    await environment.edit(name, `edited-${number}`)
    if (!system.watchesDrift) await system.check(name)
    await healed
    seconds.push((performance.now() - start) / 1000)
  }
  const usage = difference(before, await environment.usage())
  return { byItself: system.watchesDrift, seconds, usage }
}

/** Every Kustomization is Ready at the revision of this commit. */
async function settled(
  environment: BenchEnvironment,
  apps: number,
  head: string,
  timeoutMs: number,
): Promise<void> {
  await waitFor(`${apps} Kustomizations at ${head}`, () => environment.readyAt(head) === apps, {
    timeoutMs,
    intervalMs: 10,
  })
}

function gitRepository(url: string): KubeObject {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', namespace: NAMESPACE },
    spec: { interval: '10m', url, ref: { branch: 'main' } },
  }
}

function kustomization(index: number): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: appName(index), namespace: NAMESPACE },
    spec: {
      interval: '60m',
      path: `./apps/${appName(index)}`,
      prune: true,
      targetNamespace: NAMESPACE,
      sourceRef: { kind: 'GitRepository', name: 'fleet' },
    },
  }
}
