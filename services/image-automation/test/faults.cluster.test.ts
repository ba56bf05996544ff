import { chmod, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { KubeObject } from '@setpoint/manifest'
import { type GitRepo, startControlPlane, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Setup, startSetup } from './harness.ts'

const stack = new AsyncDisposableStack()
let setup: Setup
beforeAll(async () => {
  setup = stack.use(await startSetup())
})
afterAll(() => stack.disposeAsync())

const KIND = 'ImageUpdateAutomation'

/** The steps of a commit at which the service is stopped. */
const STEPS: [string, (setup: Setup, repo: GitRepo) => Promise<Reached>][] = [
  ['before the repository is fetched', held('GET', 'service=git-upload-pack')],
  ['while the repository is fetched', held('POST', 'git-upload-pack')],
  ['when the commit is made and nothing is pushed', held('GET', 'service=git-receive-pack')],
  ['while the push is on its way', held('POST', 'git-receive-pack')],
  ['before the push is accepted', hooked('pre-receive', 1)],
  ['while the push is looked at, which is accepted later', hooked('pre-receive', 0)],
  ['after the push was accepted, before the status', hooked('post-receive', 0)],
]
const nameOf = (step: string) => step.replaceAll(/\W+/g, '-')

/** The service is at the step with an automation of that name. */
async function reach({ setup, step, stopAt }: { setup: Setup; step: string; stopAt: (typeof STEPS)[0][1] }) {
  const name = nameOf(step)
  await setup.registry.push(`team/${name}`, '1.0.0')
  const repo = await setup.git.create(name)
  const { reached, release } = await stopAt(setup, repo)
  await setup.circle(name, { repo })
  await reached
  return { name, repo, release }
}

/** One commit, and a status that says so. */
async function isDoneOnce(setup: Setup, name: string, repo: GitRepo): Promise<void> {
  await setup.until(KIND, name, 'says so', ({ status }) => status?.observedPolicies?.[name] !== undefined)
  expect(await setup.file(repo, 'app.yaml')).toContain(`${name}:1.0.0`)
  expect(await setup.commits(repo)).toBe(2)
}

describe.each(STEPS)('killed %s', (step, stopAt) => {
  it('makes one commit after all', async () => {
    const { name, repo, release } = await reach({ setup, step, stopAt })
    await setup.service.child.kill()
    await release()
    await setup.service.start()
    await isDoneOnce(setup, name, repo)
    await setup.patch(KIND, name, { suspend: true })
  })
})

it('one of two replicas, killed at each of these steps: the other makes every commit, and none twice', async () => {
  const args = ['--lease-duration-seconds=3', `--concurrent-updates=${STEPS.length}`]
  const pair = stack.use(await startSetup({ replica: 'one', args }))
  const stopped: Awaited<ReturnType<typeof reach>>[] = []
  for (const [step, stopAt] of STEPS) stopped.push(await reach({ setup: pair, step, stopAt }))
  // What is under way is not handed over: all of it is still the work of the first one.
  const other = await pair.startReplica('two')
  await pair.service.child.kill()
  for (const { release } of stopped) await release()
  for (const { name, repo } of stopped) await isDoneOnce(pair, name, repo)
  // The first one pushed what the hooks let in, at most.
  expect(await other.metric('setpoint_image_commits_total')).toBeGreaterThanOrEqual(5)
  await pair.service.start()
  for (const { name } of stopped) await pair.request(KIND, name)
  for (const { name, repo } of stopped) await isDoneOnce(pair, name, repo)
})

interface Reached {
  /** The service is at the step. */
  reached: Promise<unknown>
  /** What it waits for may go on. */
  release(): Promise<unknown>
}

/** Holds the next such request about a repository. */
function held(method: string, text: string) {
  return async ({ git }: Setup, { url }: GitRepo): Promise<Reached> => {
    const { pathname } = new URL(url)
    const { reached, release } = git.hold(
      (request) =>
        request.method === method && request.path.startsWith(pathname) && request.path.includes(text),
    )
    return { reached, release: async () => release() }
  }
}

/** A hook that waits, and then ends with this code. */
function hooked(name: string, code: number) {
  return async (_setup: Setup, { dir }: GitRepo): Promise<Reached> => {
    const file = join(dir, 'hooks', name)
    const wait = 'touch reached\nwhile [ ! -e go ]; do sleep 0.05; done'
    await writeFile(file, `#!/bin/sh\n[ -e go ] && exit 0\n${wait}\nexit ${code}\n`)
    await chmod(file, 0o755)
    const isThere = () => stat(join(dir, 'reached')).then(Boolean, () => false)
    return { reached: waitFor('the hook runs', isThere), release: () => writeFile(join(dir, 'go'), '') }
  }
}

describe('two clusters with the same automation', () => {
  let other: Setup
  let repo: GitRepo
  const crds = join(import.meta.dirname, '../../../charts/setpoint/crds')

  beforeAll(async () => {
    const cluster = stack.use(await startControlPlane())
    await cluster.kubectl('apply', '--server-side', '-f', crds)
    other = stack.use(await startSetup({ cluster, beside: setup }))
    await setup.registry.push('team/both', '1.0.0')
    repo = await setup.circle('both')
    await settled(setup)
    await other.circle('both', { repo, files: {} })
    await settled(other)
  })

  const settled = (where: Setup, tag = '1.0.0') =>
    where.until(KIND, 'both', `has ${tag}`, ({ status }) => status?.observedPolicies?.both?.tag === tag)

  it('write one commit for one image, and none of them takes back what the other saw first', async () => {
    expect(await setup.commits(repo)).toBe(2)
    await setup.registry.push('team/both', '1.1.0')
    setup.hint('ImageRepository', 'both')
    await settled(setup, '1.1.0')
    await other.request(KIND, 'both')
    await settled(other, '1.1.0')
    expect(await setup.file(repo, 'app.yaml')).toContain('both:1.1.0')
    expect(await setup.commits(repo)).toBe(3)
  })

  it('agree on the digest of a tag that was moved', async () => {
    const digestOf = async (where: Setup) =>
      (await where.get('ImagePolicy', 'both')).status?.latestRef?.digest
    for (const where of [setup, other]) {
      await where.patch('ImagePolicy', 'both', { digestReflectionPolicy: 'Always', interval: '10m' })
      await waitFor('the digest is in Git', async () =>
        (await setup.file(repo, 'app.yaml')).includes('@sha256'),
      )
      await where.request('ImagePolicy', 'both')
    }
    const before = await setup.commits(repo)
    const moved = await setup.registry.push('team/both', '1.1.0', 'other content')
    await setup.request('ImagePolicy', 'both')
    await waitFor('the new digest is in Git', async () =>
      (await setup.file(repo, 'app.yaml')).includes(moved),
    )
    await other.request(KIND, 'both')
    expect(await digestOf(other)).toBe(moved)
    expect(await setup.commits(repo)).toBe(before + 1)
  })
})

describe('what is away', () => {
  it('a registry: the tags stay known, the status says so, and it is found again', async () => {
    await setup.registry.push('team/away', '1.0.0')
    await setup.circle('away')
    await setup.untilReady('ImagePolicy', 'away', 'True')
    await setup.registry.kill()
    setup.hint('ImageRepository', 'away')
    await setup.untilReady('ImageRepository', 'away', 'False', 'ReadOperationFailed')
    await setup.request('ImagePolicy', 'away')
    expect((await setup.get('ImagePolicy', 'away')).status?.latestRef?.tag).toBe('1.0.0')
    await setup.registry.restart()
    await setup.untilReady('ImageRepository', 'away', 'True')
  })

  it('a Git server: nothing is lost, and the commit is made when it is back', async () => {
    await setup.registry.push('team/offline', '1.0.0')
    const repo = await setup.git.create('offline')
    await repo.commit({ 'a.yaml': `image: a:1 # {"$imagepolicy": "${setup.namespace}:offline"}\n` })
    setup.git.setOffline(true)
    try {
      await setup.circle('offline', { repo, files: {} })
      await setup.untilReady(KIND, 'offline', 'False', 'GitOperationFailed')
    } finally {
      setup.git.setOffline(false)
    }
    await setup.untilReady(KIND, 'offline', 'True')
    expect(await setup.file(repo, 'a.yaml')).toContain('offline:1.0.0')
  })
})

it('a scan whose status the API server refuses is done again, and its policy learns of the new tag', async () => {
  await setup.registry.push('team/refused', '1.0.0')
  await setup.circle('refused')
  await setup.untilReady('ImagePolicy', 'refused', 'True')
  const admit = await refuseStatus(setup, 'refused')
  await setup.registry.push('team/refused', '1.1.0')
  setup.hint('ImageRepository', 'refused')
  await waitFor('the status was refused', () => setup.service.logs().includes(NOT_NOW))
  await admit()
  await setup.until(
    'ImagePolicy',
    'refused',
    'has the new tag',
    ({ status }) => status?.latestRef?.tag === '1.1.0',
  )
})

const NOT_NOW = 'no status for now'

/** The API server refuses the status of an ImageRepository, until the function that is returned was called. */
async function refuseStatus({ kube, namespace }: Setup, repository: string): Promise<() => Promise<void>> {
  const group = 'admissionregistration.k8s.io'
  const name = `${namespace}-${repository}`
  const rule = {
    apiGroups: ['image.toolkit.fluxcd.io'],
    apiVersions: ['*'],
    operations: ['UPDATE'],
    resources: ['imagerepositories/status'],
    resourceNames: [repository],
  }
  const matchLabels = { 'kubernetes.io/metadata.name': namespace }
  const matchConstraints = { resourceRules: [rule], namespaceSelector: { matchLabels } }
  const validations = [{ expression: 'false', message: NOT_NOW }]
  const kinds = {
    ValidatingAdmissionPolicy: { matchConstraints, validations },
    ValidatingAdmissionPolicyBinding: { policyName: name, validationActions: ['Deny'] },
  }
  for (const [kind, spec] of Object.entries(kinds))
    await kube.create({ apiVersion: `${group}/v1`, kind, metadata: { name }, spec } as KubeObject)
  const repositories = { group: rule.apiGroups[0] ?? '', kind: 'ImageRepository' }
  const isRefused = () =>
    kube
      .mergePatch(repositories, { namespace, name: repository }, { status: {} }, { subresource: 'status' })
      .then(
        () => false,
        () => true,
      )
  await waitFor('the API server refuses the status', isRefused)
  return async () => {
    for (const kind of Object.keys(kinds)) await kube.delete({ group, kind }, { name })
    await waitFor('the API server takes the status', async () => !(await isRefused()))
  }
}

it('a registry that asks for fewer requests is asked again when it says, and not before', async () => {
  const asked: number[] = []
  const server = createServer((_request, response) => {
    asked.push(performance.now())
    if (asked.length === 1) response.writeHead(429, { 'retry-after': '2' }).end()
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"tags": ["1.0.0"]}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stack.defer(() => void server.close())
  const image = `127.0.0.1:${(server.address() as AddressInfo).port}/team/busy`
  await setup.create('ImageRepository', 'busy', { image, interval: '10m', insecure: true })
  const { status } = await setup.untilReady('ImageRepository', 'busy', 'False', 'ReadOperationFailed')
  expect(status?.conditions?.find(({ type }) => type === 'Ready')?.message).toContain('fewer requests')
  await setup.untilReady('ImageRepository', 'busy', 'True')
  const [first = 0, second = 0] = asked
  expect(second - first).toBeGreaterThanOrEqual(2_000)
})
