import { type GitRepo, type ServiceProcess, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Setup, startSetup } from './harness.ts'

/** Several replicas scan, choose and commit; each image and each branch has one of them at a time. */

const NAMES = Array.from({ length: 8 }, (_, at) => `app-${at}`)
let setup: Setup
let other: ServiceProcess
let repos: GitRepo[]

beforeAll(async () => {
  setup = await startSetup({ replica: 'one', args: ['--lease-duration-seconds=3'] })
  other = await setup.startReplica('two')
  await Promise.all(NAMES.map((name) => setup.registry.push(`team/${name}`, '1.0.0')))
  repos = await Promise.all(NAMES.map((name) => setup.circle(name)))
})
afterAll(() => setup?.[Symbol.asyncDispose]())

/** Every repository has the tag. */
const haveTag = (tag: string) =>
  waitFor(`every repository has ${tag}`, async () => {
    const files = await Promise.all(repos.map((repo) => setup.file(repo, 'app.yaml')))
    return files.every((file) => file.includes(`:${tag} #`))
  })
const commits = () => Promise.all(repos.map((repo) => setup.commits(repo)))
const pushAll = async (tag: string) => {
  await Promise.all(NAMES.map((name) => setup.registry.push(`team/${name}`, tag)))
  for (const name of NAMES) setup.hint('ImageRepository', name)
}
const counted = async ({ url }: ServiceProcess, metric: string) => {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${metric} (\\d+)`, 'm').exec(text)?.[1] ?? 0)
}

it('both scan and commit, and every image is one commit', async () => {
  await haveTag('1.0.0')
  await pushAll('1.1.0')
  await haveTag('1.1.0')
  expect(await commits()).toEqual(NAMES.map(() => 3))
  for (const metric of ['setpoint_image_scans_total', 'setpoint_image_commits_total'])
    for (const service of [setup.service, other]) expect(await counted(service, metric)).toBeGreaterThan(0)
})

it('the work of one that is killed is taken over, and is done once', async () => {
  await other.child.kill()
  await pushAll('1.2.0')
  await haveTag('1.2.0')
  expect(await commits()).toEqual(NAMES.map(() => 4))
})

it('one that comes back takes its share again, and nothing is written because of it', async () => {
  await other.start()
  await waitFor('it scans its share', async () => (await counted(other, 'setpoint_image_scans_total')) > 0)
  await pushAll('1.3.0')
  await haveTag('1.3.0')
  expect(await commits()).toEqual(NAMES.map(() => 5))
})

it('a value that Git has and that the writer has not seen is looked up by whoever owns the image', async () => {
  const [name = '', repo] = [NAMES[0], repos[0]]
  await setup.registry.push(`team/${name}`, '1.4.0')
  const file = (await setup.file(repo as GitRepo, 'app.yaml')).replace(':1.3.0', ':1.4.0')
  await repo?.commit({ 'app.yaml': `${file}\n` })
  await setup.request('ImageUpdateAutomation', name)
  expect((await setup.get('ImagePolicy', name)).status?.latestRef?.tag).toBe('1.4.0')
  expect(await setup.commits(repo as GitRepo)).toBe(6)
})
