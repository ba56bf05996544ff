import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type GitRepo, type GitServer, temporaryDirectory } from '@setpoint/testkit'
import { percentile } from '../percentile.ts'
import type { SourceBench } from './environment.ts'

type Measurement = (bench: SourceBench) => Promise<string>

/** What the chart gives the source service. */
const CHART_LIMIT_MIB = 1024
const COMMITS = 30
const IDLE_SOURCES = 500
const IDLE_MS = 120_000

/** Each makes its own repository and starts a source service of its own; the answer is the line to print. */
export const measurements = {
  first: ({ git, startSource }) => firstFetch({ git, startSource }, { files: 5_000, bytes: 2_000 }),
  large: ({ git, startSource }) => firstFetch({ git, startSource }, { files: 50_000, bytes: 10_000 }),
  commit: oneFileCommits,
  idle: manySources,
  archive: archiveOnDemand,
} satisfies Record<string, Measurement>

async function firstFetch(
  { git, startSource }: Pick<SourceBench, 'git' | 'startSource'>,
  size: Size,
): Promise<string> {
  const { repo, head } = await createRepository(git, size)
  const clone = await seconds(() => cloneShallow(repo.url))
  await using source = await startSource()
  const name = nameOf(size)
  const own = await seconds(async () => {
    await source.create(name, repo.url)
    await source.untilPublished(name, head)
  })
  const ready = own + (await seconds(() => source.untilReady(name)))
  const { peakMib, cpuSeconds } = source.usage()
  return [
    `first fetch of ${size.files} files, ${mib(size.files * size.bytes)} MiB:`,
    `git clone --depth 1 ${clone.toFixed(2)} s, published after ${own.toFixed(2)} s (${(own / clone).toFixed(1)} times git),`,
    `Ready after ${ready.toFixed(2)} s, ${cpuSeconds.toFixed(1)} CPU-s,`,
    `${peakMib.toFixed(0)} MiB peak of ${CHART_LIMIT_MIB} MiB in the chart`,
  ].join(' ')
}

async function oneFileCommits({ git, startSource }: SourceBench): Promise<string> {
  const { repo, head } = await createRepository(git, { files: 5_000, bytes: 2_000 })
  await using source = await startSource()
  await source.create('commits', repo.url)
  await source.untilPublished('commits', head)
  await source.untilReady('commits')
  const before = { bytes: await source.sentBytes(), cpu: source.usage().cpuSeconds }
  const times: number[] = []
  for (let n = 0; n < COMMITS; n += 1) {
    const sha = await repo.commit({ [pathOf(n * 37)]: noise(2_000) })
    times.push(
      await seconds(async () => {
        source.hint('commits')
        await source.untilPublished('commits', sha)
      }),
    )
    await source.untilReady('commits', sha)
  }
  const bytes = (await source.sentBytes()) - before.bytes
  const cpu = source.usage().cpuSeconds - before.cpu
  return [
    `one-file commit of 5000 files: hint to published p50 ${ms(percentile(times, 0.5))},`,
    `p99 ${ms(percentile(times, 0.99))}, ${(bytes / COMMITS / 1024).toFixed(1)} KiB over the bus,`,
    `${((cpu / COMMITS) * 1000).toFixed(0)} ms of CPU each, with the archive`,
  ].join(' ')
}

async function manySources({ git, startSource }: SourceBench): Promise<string> {
  const repos = await Promise.all(
    Array.from({ length: 5 }, (_, n) => createRepository(git, { files: 20, bytes: 500 }, `many-${n}`)),
  )
  await using source = await startSource()
  const names = Array.from({ length: IDLE_SOURCES }, (_, n) => `many-${n}`)
  for (const [n, name] of names.entries())
    await source.create(name, repos[n % repos.length]?.repo.url ?? '', '1m')
  for (const name of names) await source.untilReady(name)
  await delay(IDLE_MS / 2)
  const before = source.usage()
  await delay(IDLE_MS)
  const after = source.usage()
  const share = (after.cpuSeconds - before.cpuSeconds) / (IDLE_MS / 1000)
  return `${IDLE_SOURCES} GitRepositories at 1 minute, nothing changes: ${(share * 100).toFixed(1)} % of a core, ${after.peakMib.toFixed(0)} MiB peak`
}

async function archiveOnDemand({ git, startSource }: SourceBench): Promise<string> {
  const { repo } = await createRepository(git, { files: 5_000, bytes: 2_000 }, 'archive')
  await using source = await startSource()
  await source.create('archive', repo.url)
  const { status } = await source.untilReady('archive')
  const times: number[] = []
  for (let n = 0; n < 5; n += 1) {
    await rm(join(source.storage, 'archives'), { recursive: true })
    times.push(await seconds(() => download(status?.artifact?.url ?? '')))
  }
  const served = await seconds(() => download(status?.artifact?.url ?? ''))
  return `tar.gz of 5000 files: made and served in ${ms(percentile(times, 0.5))} p50, served in ${ms(served)} when it is there`
}

interface Size {
  files: number
  /** Of each file. */
  bytes: number
}

const nameOf = ({ files }: Size) => `files-${files}`

async function createRepository(
  git: GitServer,
  size: Size,
  name = `${nameOf(size)}-${crypto.randomUUID()}`,
): Promise<{ repo: GitRepo; head: string }> {
  const repo = await git.create(name)
  const step = 2_000
  for (let start = 0; start < size.files; start += step) {
    const numbers = Array.from({ length: Math.min(step, size.files - start) }, (_, n) => start + n)
    await repo.commit(Object.fromEntries(numbers.map((n) => [pathOf(n), noise(size.bytes)])))
  }
  return { repo, head: await repo.head() }
}

const pathOf = (n: number) => `apps/team-${n % 50}/app-${n}.yaml`

/** Text that compresses like a manifest: by half or so. */
function noise(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(Math.min(bytes / 2, 65_000)))).toString('hex')
}

async function cloneShallow(url: string): Promise<void> {
  await using home = await temporaryDirectory('bench-clone')
  await promisify(execFile)('git', ['clone', '--quiet', '--depth', '1', url, join(home.path, 'clone')])
}

async function download(url: string): Promise<void> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answers ${response.status}`)
  await response.arrayBuffer()
}

async function seconds(action: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await action()
  return (performance.now() - startedAt) / 1000
}

const ms = (value: number) => `${(value * 1000).toFixed(0)} ms`
const mib = (bytes: number) => Math.round(bytes / 1024 / 1024)
