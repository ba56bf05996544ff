import { setTimeout as passed } from 'node:timers/promises'
import { type GitRepo, git, waitFor } from '@setpoint/testkit'
import { percentile } from '../percentile.ts'
import { type ImageBench, NAMESPACE } from './environment.ts'

/** Each returns its figures as one line. */
export const measurements = { tagToCluster, manyTags, manyPolicies, manyFiles, manyRepositories }

const fast = { intervalMs: 2, timeoutMs: 120_000 }
const since = (start: number): number => (performance.now() - start) / 1000
const seconds = (value: number): string => `${value.toFixed(2)} s`
const markerOf = (policy: string): string => `# {"$imagepolicy": "${NAMESPACE}:${policy}"}`

/** From the hint after a push of a tag to the new image in the Deployment. */
async function tagToCluster(bench: ImageBench): Promise<string> {
  const image = `${bench.registry.host}/live`
  await bench.registry.push('live', '1.0.0')
  const repo = await bench.git.create('live')
  await repo.commit({ 'app/deployment.yaml': deployment(`${image}:1.0.0`) })
  await bench.createSource('live', repo)
  const sourceRef = { kind: 'GitRepository', name: 'live' }
  const kustomization = { interval: '10m', path: './app', prune: true, targetNamespace: NAMESPACE, sourceRef }
  await bench.create('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', 'live', kustomization)
  await bench.createRepository('live', image)
  await bench.createPolicy('live', 'live')
  await bench.createAutomation('live')
  const runs = (tag: string) =>
    waitFor(
      `the Deployment has ${tag}`,
      () =>
        JSON.stringify(bench.deployments.get(`${NAMESPACE}/live`)?.spec ?? {}).includes(`${image}:${tag}"`),
      fast,
    )
  await runs('1.0.0')
  const times: number[] = []
  for (let at = 1; at <= 20; at += 1) {
    await bench.registry.push('live', `1.0.${at}`)
    const start = performance.now()
    bench.hint('live')
    await runs(`1.0.${at}`)
    times.push(since(start))
  }
  const [p50, worst] = [percentile(times, 0.5), percentile(times, 1)]
  return `tag pushed, with a hint, to live     p50 ${seconds(p50)}, worst ${seconds(worst)} (${times.length} tags)`
}

async function manyTags(bench: ImageBench): Promise<string> {
  const count = 20_000
  await bench.registry.pushMany(
    'many-tags',
    Array.from({ length: count }, (_, at) => `1.${Math.floor(at / 100)}.${at % 100}`),
  )
  const before = bench.usage()
  const start = performance.now()
  await bench.createRepository('many-tags', `${bench.registry.host}/many-tags`)
  await scanned(bench, ['many-tags'])
  const took = since(start)
  const after = bench.usage()
  const cpu = after.cpuSeconds - before.cpuSeconds
  const grown = after.peakMib - before.peakMib
  return `scan of ${count} tags                 ${seconds(took)}, ${seconds(cpu)} of CPU, peak ${after.peakMib.toFixed(0)} MiB (${grown.toFixed(0)} more)`
}

async function manyPolicies(bench: ImageBench): Promise<string> {
  const names = Array.from({ length: 200 }, (_, at) => `policy-${at}`)
  const image = `${bench.registry.host}/policies`
  await bench.registry.push('policies', '1.0.0')
  const repo = await bench.git.create('policies')
  await repo.commit(
    Object.fromEntries(names.map((name) => [`${name}.yaml`, `image: ${image}:1.0.0 ${markerOf(name)}\n`])),
  )
  await bench.createSource('policies', repo)
  await bench.createRepository('policies', image)
  await Promise.all(names.map((name) => bench.createPolicy(name, 'policies')))
  await bench.createAutomation('policies')
  await scanned(bench, ['policies'])
  await bench.registry.push('policies', '1.1.0')
  const start = performance.now()
  bench.hint('policies')
  await waitFor(
    'every file has the tag',
    async () => (await filesWith(repo, ':1.1.0 #')) === names.length,
    fast,
  )
  const commits = Number(await git(['rev-list', '--count', 'main'], { cwd: repo.dir })) - 1
  return `${names.length} policies change at once       ${commits} commits, all correct after ${seconds(since(start))}`
}

async function manyFiles(bench: ImageBench): Promise<string> {
  const image = `${bench.registry.host}/files`
  await bench.registry.push('files', '1.0.0')
  const repo = await bench.git.create('files')
  const marked = `image: ${image}:0.9.0 ${markerOf('files')}\n`
  const files = Array.from({ length: 5_000 }, (_, at) => [
    `apps/${at % 100}/file-${at}.yaml`,
    at % 10 === 0 ? `name: app-${at}\n${marked}` : `name: app-${at}\nreplicas: ${at}\n`,
  ])
  await repo.commit(Object.fromEntries(files))
  await bench.createSource('files', repo)
  await bench.createRepository('files', image)
  await bench.createPolicy('files', 'files')
  await scanned(bench, ['files'])
  const update = async (tag: string, begin: () => unknown) => {
    const start = performance.now()
    await begin()
    const isThere = async () => (await filesWith(repo, `:${tag} #`)) === 500
    await waitFor(`500 files have ${tag}`, isThere, { ...fast, intervalMs: 20 })
    return since(start)
  }
  const first = await update('1.0.0', () => bench.createAutomation('files'))
  await bench.registry.push('files', '1.1.0')
  const second = await update('1.1.0', () => bench.hint('files'))
  return `500 markers in 5000 files             ${seconds(second)} from the hint to the push; ${seconds(first)} with the first fetch`
}

async function manyRepositories(bench: ImageBench): Promise<string> {
  const [count, images, intervalSeconds] = [1_000, 10, 40]
  for (let at = 0; at < images; at += 1)
    await bench.registry.pushMany(
      `fleet-${at}`,
      Array.from({ length: 20 }, (_, tag) => `1.0.${tag}`),
    )
  const names = Array.from({ length: count }, (_, at) => `fleet-${at}`)
  await Promise.all(
    names.map((name, at) =>
      bench.createRepository(name, `${bench.registry.host}/fleet-${at % images}`, `${intervalSeconds}s`),
    ),
  )
  await scanned(bench, names)
  const before = bench.usage()
  await passed(intervalSeconds * 1000)
  const { cpuSeconds, peakMib } = bench.usage()
  const perScan = (cpuSeconds - before.cpuSeconds) / count
  const share = (perScan * count * 100) / 300
  return `${count} ImageRepositories              ${(perScan * 1000).toFixed(2)} ms of CPU a scan: ${share.toFixed(1)}% of a core at 5 minutes, peak ${peakMib.toFixed(0)} MiB`
}

function scanned({ repositories }: ImageBench, names: readonly string[]): Promise<unknown> {
  const isReady = (name: string) => {
    const status = repositories.get(`${NAMESPACE}/${name}`)?.status as { lastScanResult?: object } | undefined
    return status?.lastScanResult !== undefined
  }
  return waitFor('everything is scanned', () => names.every(isReady), fast)
}

async function filesWith({ dir }: GitRepo, text: string): Promise<number> {
  const found = await git(['grep', '--fixed-strings', '--name-only', text, 'main'], { cwd: dir }).catch(
    () => '',
  )
  return found === '' ? 0 : found.split('\n').length
}

function deployment(image: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: live}
spec:
  selector: {matchLabels: {app: live}}
  template:
    metadata: {labels: {app: live}}
    spec:
      containers:
        - name: live
          image: ${image} ${markerOf('live')}
`
}
