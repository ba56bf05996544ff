import type { KubeObject } from '@setpoint/manifest'
import { waitFor } from '@setpoint/testkit'
import { type BenchEnvironment, startEnvironment, type Usage } from './environment.ts'
import { appConfig, appName, fleetFiles } from './fleet.ts'

const NAMESPACE = 'bench'
const SYNC_TIMEOUT_MS = 15 * 60_000
const CHANGE_TIMEOUT_MS = 60_000
/** A page of metrics costs the service as much as a few Kustomizations. */
const POLL_MS = 2_000

export interface BenchOptions {
  /** Kustomizations. */
  apps: number
  /** Commits that each touch one app. */
  commits: number
  /** Edits by hand that are to be healed. */
  edits: number
}

export interface BenchResult {
  apps: number
  files: number
  cold: { seconds: number; usage: Usage }
  /**
   * seconds: from the hint to the new value in the cluster, one a commit. hot: what was used until then, the status of
   * the app included. usage: until the whole fleet has been told the revision.
   */
  commits: { seconds: number[]; hot: Usage; usage: Usage }
  /** A full check of the whole fleet that somebody asks for, and that finds nothing. */
  check: Usage
  /** The checks that each Kustomization does once at its interval. */
  interval: Usage
  drift: { seconds: number[]; usage: Usage }
}

/** One whole run on parts of its own: cold sync, one-app commits, drift. */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  await using environment = await startEnvironment()
  const files = fleetFiles(options.apps)
  await environment.repo.commit(files, { message: 'The fleet' })
  const step = <T>(name: string, work: () => Promise<T>): Promise<T> => {
    console.log(`N = ${options.apps}: ${name} …`)
    return work()
  }
  const cold = await step('cold sync', () => coldSync(environment, options.apps))
  const commits = await step('commits', () => oneAppCommits(environment, options))
  const drift = await step('drift', () => healDrift(environment, options))
  const check = await step('a check of everything', () => noChangeCheck(environment, options))
  const interval = await step('one interval', () => intervalCheck(environment, options))
  return { apps: options.apps, files: Object.keys(files).length, cold, commits, drift, check, interval }
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
  return { seconds, usage: difference(before, await environment.usage()) }
}

async function oneAppCommits(environment: BenchEnvironment, { apps, commits }: BenchOptions) {
  const before = await environment.usage()
  const hot: Usage[] = []
  const seconds: number[] = []
  for (let number = 0; number < commits; number += 1) {
    const begun = await environment.quietUsage()
    const index = (number * 37) % apps
    const value = `commit-${number}`
    const head = await environment.repo.commit(appConfig(index, value), {
      message: `Change ${appName(index)}`,
    })
    const seen = environment.seesConfigValue(appName(index), value, CHANGE_TIMEOUT_MS)
    const start = performance.now()
    environment.hint(NAMESPACE)
    await seen
    seconds.push((performance.now() - start) / 1000)
    await waitFor('the app is Ready', () => environment.isReadyAt(appName(index), head), { intervalMs: 2 })
    hot.push(difference(begun, await environment.quietUsage()))
    await settled(environment, apps, head, SYNC_TIMEOUT_MS)
  }
  return { seconds, hot: sumOf(hot), usage: difference(before, await environment.usage()) }
}

/** Every Kustomization is asked to look at all of its objects. */
async function noChangeCheck(environment: BenchEnvironment, { apps }: BenchOptions): Promise<Usage> {
  const before = await environment.quietUsage()
  const checked = await environment.checksDone()
  for (let index = 0; index < apps; index += 1) environment.check(NAMESPACE, appName(index))
  await waitFor('everything is checked', async () => (await environment.checksDone()) >= checked + apps, {
    timeoutMs: SYNC_TIMEOUT_MS,
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
  const options = { timeoutMs: SYNC_TIMEOUT_MS, intervalMs: POLL_MS }
  await waitFor('all know their interval', () => environment.observed() === apps, options)
  const before = await environment.quietUsage()
  const checked = await environment.checksDone()
  await waitFor('one check each', async () => (await environment.checksDone()) >= checked + apps, options)
  return difference(before, await environment.quietUsage())
}

async function healDrift(environment: BenchEnvironment, { apps, edits }: BenchOptions) {
  const before = await environment.usage()
  const seconds: number[] = []
  for (let number = 0; number < edits; number += 1) {
    const name = appName((number * 53) % apps)
    const right = environment.configValue(name)
    // Looked for before the edit is answered: healing may be faster than the answer.
    const healed = environment.seesConfigValue(name, right, CHANGE_TIMEOUT_MS)
    const start = performance.now()
    await environment.edit(name, `edited-${number}`)
    await healed
    seconds.push((performance.now() - start) / 1000)
  }
  return { seconds, usage: difference(before, await environment.usage()) }
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

function sumOf(all: readonly Usage[]): Usage {
  const none: Usage = { services: [], apiRequests: {}, busBytes: 0 }
  return all.reduce((sum, one) => {
    const apiRequests = { ...sum.apiRequests }
    for (const [verb, count] of Object.entries(one.apiRequests))
      apiRequests[verb] = (apiRequests[verb] ?? 0) + count
    const services = one.services.map((service) => {
      const before = sum.services.find(({ name }) => name === service.name)
      return { ...service, cpuSeconds: service.cpuSeconds + (before?.cpuSeconds ?? 0) }
    })
    return { services, apiRequests, busBytes: sum.busBytes + one.busBytes }
  }, none)
}

function difference(before: Usage, after: Usage): Usage {
  const minus = (a: Record<string, number>, b: Record<string, number>) =>
    Object.fromEntries(
      Object.entries(a)
        .map(([key, value]) => [key, value - (b[key] ?? 0)])
        .filter(([, value]) => value !== 0),
    )
  return {
    services: after.services.map((service) => ({
      ...service,
      cpuSeconds:
        service.cpuSeconds - (before.services.find(({ name }) => name === service.name)?.cpuSeconds ?? 0),
    })),
    apiRequests: minus(after.apiRequests, before.apiRequests) as Record<string, number>,
    busBytes: after.busBytes - before.busBytes,
  }
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
