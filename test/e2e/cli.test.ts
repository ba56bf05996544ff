import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runCommandLine } from '@setpoint/cli'
import {
  type ControlPlane,
  type GitRepo,
  startControlPlane,
  startGitServer,
  temporaryDirectory,
  waitFor,
} from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { START_TIMEOUT_MS } from './harness.ts'
import { configMapYaml } from './manifests.ts'
import { SETPOINT, startUp } from './up-process.ts'

/** The command line, on the example of the README: `setpoint up` on a cluster that runs already, then every command. */

const NAME = 'podinfo'
const stack = new AsyncDisposableStack()
let plane: ControlPlane
let repo: GitRepo
let data: string

beforeAll(async () => {
  plane = stack.use(await startControlPlane({ controllers: true }))
  data = stack.use(await temporaryDirectory('cli')).path
  const git = stack.use(await startGitServer())
  repo = await git.create(NAME, { branch: 'master' })
  await repo.commit({ ...APP, 'kustomize/settings.yaml': configMapYaml('settings', { level: 'one' }) })
  const up = await startUp(plane.kubeconfig, join(data, 'up'))
  stack.defer(() => up.kill())
}, START_TIMEOUT_MS)
afterAll(() => stack.disposeAsync())

test('the example of the README becomes Ready, with all that it brings', async () => {
  const example = join(data, 'example.yaml')
  await writeFile(example, (await exampleOfReadme()).replace(/url: .*/, `url: ${repo.url}`))
  await plane.kubectl('apply', '-f', example)
  await plane.kubectl('wait', 'kustomization', NAME, '--for=condition=Ready', '--timeout=60s')
  expect(await plane.kubectl('get', 'deployment', NAME, '-o', 'jsonpath={.status.readyReplicas}')).toBe('1')
  const events = await plane.kubectl(
    'get',
    'events',
    '--field-selector=type=Warning,involvedObject.name!=kubernetes',
    '-o',
    'name',
  )
  expect(events.trim()).toBe('')
})

test('get shows both kinds as tables, JSON and YAML', async () => {
  const revision = `master@sha1:${(await repo.head()).slice(0, 8)}`
  const [all, wide, json, yaml] = await Promise.all([
    setpoint('get', 'all', '-A'),
    setpoint('get', 'ks', NAME, '-o', 'wide'),
    setpoint('get', 'all', '-o', 'json'),
    setpoint('get', 'sources', 'git', NAME, '-o', 'yaml'),
  ])
  const rows = all.stdout.split('\n').map((line) => line.split(/ {2,}/).slice(0, 5))
  const heading = ['NAMESPACE', 'NAME', 'REVISION', 'SUSPENDED', 'READY']
  expect(rows).toEqual([
    heading,
    ['default', `gitrepository/${NAME}`, revision, 'False', 'True'],
    [''],
    heading,
    ['default', `kustomization/${NAME}`, revision, 'False', 'True'],
    [''],
  ])
  expect(wide.stdout).toContain(`GitRepository/${NAME}:./kustomize`)
  expect(JSON.parse(json.stdout)).toMatchObject({
    kind: 'List',
    items: [{ kind: 'GitRepository' }, { kind: 'Kustomization' }],
  })
  expect(parse(yaml.stdout)).toMatchObject({ kind: 'GitRepository', metadata: { name: NAME } })
})

test('reconcile --with-source --watch fetches a commit, tells of each step and ends when it is applied', async () => {
  const commit = await repo.commit({ 'kustomize/settings.yaml': configMapYaml('settings', { level: 'two' }) })
  const { code, stderr } = await setpoint('reconcile', 'ks', NAME, '--with-source', '--watch')
  expect(code).toBe(0)
  expect(stderr).toContain(
    `${NAME}: Ready=True Succeeded: stored artifact for revision 'master@sha1:${commit}'`,
  )
  expect(stderr).toContain(
    `${NAME}: Ready=True ReconciliationSucceeded: Applied revision: master@sha1:${commit}`,
  )
  expect(stderr).toMatch(new RegExp(`kustomization "${NAME}" is ready: master@sha1:${commit.slice(0, 8)}\n$`))
  expect(await level()).toBe('two')
})

test('suspend holds a Kustomization: an edit stays, reconcile refuses; resume undoes the edit', async () => {
  expect(await setpoint('suspend', 'ks', NAME)).toMatchObject({ code: 0 })
  await plane.kubectl('patch', 'configmap', 'settings', '-p', '{"data":{"level":"edited"}}')
  const refused = await setpoint('reconcile', 'ks', NAME)
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain('is suspended; "setpoint resume" it first')
  expect(await level()).toBe('edited')
  const resumed = await setpoint('resume', 'ks', '--all')
  expect(resumed.code).toBe(0)
  expect(resumed.stderr).toContain(`kustomization "${NAME}" is ready`)
  expect(await level()).toBe('two')
})

test('suspend and resume hold a source', async () => {
  expect(await setpoint('suspend', `gitrepository/${NAME}`)).toMatchObject({ code: 0 })
  expect((await setpoint('get', 'sources')).stdout).toMatch(/ True +True /)
  expect(await setpoint('resume', 'source', 'git', NAME)).toMatchObject({ code: 0 })
})

test('history shows what was applied, newest first', async () => {
  const [table, json] = await Promise.all([
    setpoint('history', NAME),
    setpoint('history', NAME, '-o', 'json'),
  ])
  const [heading, newest, oldest, ...more] = table.stdout.trimEnd().split('\n')
  expect(heading).toMatch(/^REVISION +STATUS +LAST +FIRST +DURATION +TIMES +DIGEST$/)
  expect(newest).toMatch(
    new RegExp(`^master@sha1:${(await repo.head()).slice(0, 8)} +ReconciliationSucceeded `),
  )
  expect(oldest).toMatch(/^master@sha1:\w{8} +ReconciliationSucceeded /)
  expect(more).toEqual([])
  const digests = (JSON.parse(json.stdout) as { digest: string }[]).map(({ digest }) => digest)
  expect(new Set(digests).size).toBe(2)
})

test('trace leads from a Pod through its owners to the Kustomization and the commit', async () => {
  const pod = (await plane.kubectl('get', 'pods', '-o', 'name')).trim().split('\n')[0] ?? ''
  const [text, json, foreign, cluster] = await Promise.all([
    setpoint('trace', pod),
    setpoint('trace', 'deploy', NAME, '-o', 'json'),
    setpoint('trace', 'service/kubernetes'),
    setpoint('trace', 'namespace/default'),
  ])
  expect(text.stdout).toMatch(/^Object: +Pod\/default\/podinfo-/)
  expect(text.stdout).toMatch(/^Owned by: +Deployment\/default\/podinfo$/m)
  expect(text.stdout).toMatch(/^Kustomization: +podinfo$/m)
  expect(text.stdout).toMatch(new RegExp(`^Revision: +master@sha1:${await repo.head()}$`, 'm'))
  expect(JSON.parse(json.stdout)).toMatchObject({ inInventory: true, source: { kind: 'GitRepository' } })
  expect(foreign).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('not applied by a Kustomization'),
  })
  expect(cluster.code).toBe(1)
})

test('a commit that does not build: reconcile fails with the reason, doctor warns, and its mending ends it', async () => {
  const broken = await repo.commit({ 'kustomize/settings.yaml': 'kind: [' })
  const failed = await setpoint('reconcile', 'ks', NAME, '--with-source')
  expect(failed.code).toBe(1)
  expect(failed.stderr).toMatch(/"podinfo" is not ready: BuildFailed: .*settings\.yaml/)
  expect(await setpoint('doctor', '--data', join(data, 'up'))).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^warning +Kustomization objects +1 in all, 1 not ready.*default\/podinfo/m,
    ),
  })
  expect(await level()).toBe('two')
  await repo.revert(broken)
  expect(await setpoint('reconcile', 'ks', NAME, '--with-source')).toMatchObject({ code: 0 })
})

test('doctor finds everything well', async () => {
  const { code, stdout } = await setpoint('doctor', '--data', join(data, 'up'), '-o', 'json')
  const findings = JSON.parse(stdout) as { check: string; result: string }[]
  expect(findings.filter(({ result }) => result !== 'ok')).toEqual([])
  const checks = findings.map(({ check }) => check)
  for (const service of ['source', 'kustomize-render', 'apply', 'image-automation'])
    expect(checks).toEqual(expect.arrayContaining([`service ${service}`, `queues of ${service}`]))
  expect(checks).toEqual(expect.arrayContaining(['API server', 'NATS', 'streams', 'readers']))
  expect(code).toBe(0)
})

test('doctor fails where no Setpoint runs, and says what to do', async () => {
  const { code, stdout } = await setpoint('doctor', '--data', join(data, 'elsewhere'))
  expect(code).toBe(1)
  expect(stdout).toMatch(/^FAILED +services .*\n +→ start it with `setpoint up`/m)
})

test.each([
  [['get', 'ks', 'missing'], 1, 'not found in namespace "default"'],
  [['reconcile', 'ks', 'missing'], 1, 'not found'],
  [['trace', 'nonsense/a'], 1, 'serves no kind "nonsense"'],
  [['get', 'deployments'], 2, 'unknown kind "deployments"'],
  [['reconcile', 'ks', NAME, '--timeout', 'soon'], 2, '"soon" is not a duration'],
  [['suspend', 'ks'], 2, 'or --all'],
  [['history'], 2, 'give the name'],
  [['getall'], 2, 'unknown command "getall"'],
])('setpoint %j ends with %i: %s', async (args, code, message) => {
  const said = await setpoint(...args)
  expect(said).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) })
})

test('bash completes commands, kinds and flags', async () => {
  const script = `
source <('${SETPOINT}' completion bash)
suggest() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _setpoint; echo "\${COMPREPLY[*]}"; }
suggest setpoint rec; suggest setpoint reconcile --wi; suggest setpoint get kust`
  const { stdout } = await promisify(execFile)('bash', ['-c', script])
  expect(stdout.split('\n')).toEqual(['reconcile', '--with-source', 'kustomizations', ''])
})

test('deleting the Kustomization takes its objects away', async () => {
  await plane.kubectl('delete', 'kustomization', NAME, '--timeout=60s')
  await waitFor('the Deployment is gone', async () => {
    const left = await plane.kubectl('get', 'deployments,configmaps', '-l', OWNED, '-o', 'name')
    return left.trim() === ''
  })
  expect((await setpoint('get', 'kustomizations')).stderr).toBe(
    'no Kustomization found in namespace "default"\n',
  )
})

const OWNED = `kustomize.toolkit.fluxcd.io/name=${NAME}`

/** The level in the ConfigMap that Git holds. */
const level = () => plane.kubectl('get', 'configmap', 'settings', '-o', 'jsonpath={.data.level}')

interface Ended {
  code: number
  stdout: string
  stderr: string
}

/** What the program does, without the start of a process. */
async function setpoint(...args: string[]): Promise<Ended> {
  const said = { stdout: '', stderr: '' }
  const stdout = { write: (text: string) => (said.stdout += text) }
  const stderr = { write: (text: string) => (said.stderr += text) }
  const where = [
    '--kubeconfig',
    plane.kubeconfig,
    ...(args[0] === 'doctor' ? [] : ['--namespace', 'default']),
  ]
  const io = { stdin: process.stdin, stdout, stderr, colour: false }
  const code = await runCommandLine([...args, ...where], io, AbortSignal.timeout(50_000))
  return { code, ...said }
}

async function exampleOfReadme(): Promise<string> {
  const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8')
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? []
  return example
}

const APP = {
  'kustomize/kustomization.yaml': 'resources: [deployment.yaml, settings.yaml]\n',
  'kustomize/deployment.yaml': `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${NAME}}
spec:
  selector: {matchLabels: {app: ${NAME}}}
  template:
    metadata: {labels: {app: ${NAME}}}
    spec: {containers: [{name: main, image: registry.example/podinfo}]}
`,
}
