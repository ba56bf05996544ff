import { KUSTOMIZATION } from '@setpoint/contracts'
import { type FileChange, type GitRepo, newAgeKey, sopsEncrypt, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SERVICES } from '../chart/identities.ts'
import { writesSince } from './api-writes.ts'
import { conditionOf, NAMESPACE, START_TIMEOUT_MS, startWholeSet, type WholeSet } from './harness.ts'
import { configMapYaml, kustomizationYaml } from './manifests.ts'

/** The main job: what is committed is in the cluster, and stays. */

let set: WholeSet
let repo: GitRepo

/** Nine levels of ten references each: a billion of the innermost value. */
const bomb = Array.from({ length: 10 }, (_, level) => {
  const inner = level === 0 ? 'x' : `*a${level - 1}`
  return `a${level}: &a${level} [${Array(10).fill(inner).join(', ')}]\n`
}).join('')

beforeAll(async () => {
  set = await startWholeSet({ controllers: true })
  repo = await set.createFleet('fleet', {
    ...webFiles('1.0.0'),
    'settings/first.yaml': configMapYaml('first'),
    'settings/second.yaml': configMapYaml('second'),
  })
}, START_TIMEOUT_MS)

afterAll(() => set?.[Symbol.asyncDispose]())

test('a first sync brings a Deployment up, and waits for it', async () => {
  await set.applyKustomization('web', { wait: true, path: './web/production' })
  const kustomization = await set.waitReady('Kustomization', 'web', await repo.head())
  expect(conditionOf(kustomization, 'Healthy')).toMatchObject({ status: 'True', reason: 'Succeeded' })
  expect(await image()).toBe('registry.example/web:1.0.0')
  const ready = await set.plane.kubectl(
    '-n',
    NAMESPACE,
    'get',
    'deployment',
    'web',
    '-o',
    'jsonpath={.status.readyReplicas}',
  )
  expect(ready).toBe('2')
})

test('a commit that changes the image is live after a hint', async () => {
  const commit = await repo.commit(webFiles('1.1.0'))
  await set.hint()
  await set.waitReady('Kustomization', 'web', commit)
  expect(await image()).toBe('registry.example/web:1.1.0')
  await set.waitReady('GitRepository', 'fleet', commit)
})

test('a commit is found by polling, without a hint', async () => {
  const polled = await set.git.create('polled')
  await polled.commit({ 'polled/map.yaml': configMapYaml('polled', { key: 'old' }) })
  await set.applyGitRepository('polled', { url: polled.url, interval: '1s' })
  await set.applyKustomization('polled', { sourceRef: { kind: 'GitRepository', name: 'polled' } })
  await set.waitConfigMap('polled', { key: 'old' })
  await polled.commit({ 'polled/map.yaml': configMapYaml('polled', { key: 'new' }) })
  await set.waitConfigMap('polled', { key: 'new' })
  await set.remove(KUSTOMIZATION, 'polled')
  await set.plane.kubectl('-n', NAMESPACE, 'delete', 'gitrepository', 'polled')
})

test('an edit by hand is healed', async () => {
  await set.applyKustomization('settings')
  await set.waitReady('Kustomization', 'settings')
  await set.plane.kubectl('-n', NAMESPACE, 'patch', 'configmap', 'first', '-p', '{"data":{"key":"edited"}}')
  await set.waitConfigMap('first', { key: 'value' })
  const scale = ['-n', NAMESPACE, 'scale', 'deployment', 'web', '--replicas=5']
  await set.plane.kubectl(...scale)
  await waitFor('the Deployment has two replicas again', async () => {
    const replicas = await set.plane.kubectl(
      '-n',
      NAMESPACE,
      'get',
      'deployment',
      'web',
      '-o',
      'jsonpath={.spec.replicas}',
    )
    return replicas === '2'
  })
})

test('a managed object that was deleted is made again', async () => {
  await set.plane.kubectl('-n', NAMESPACE, 'delete', 'configmap', 'second')
  await set.waitConfigMap('second', { key: 'value' })
})

test('a file that is deleted in Git is pruned, and its neighbour stays', async () => {
  const commit = await repo.commit({ 'settings/second.yaml': null })
  await set.hint()
  await set.waitReady('Kustomization', 'settings', commit)
  expect(await set.configMap('second')).toBeUndefined()
  expect(await set.configMap('first')).toEqual({ key: 'value' })
})

test('git revert rolls back', async () => {
  const bad = await repo.commit({
    ...webFiles('2.0.0-broken'),
    'settings/first.yaml': configMapYaml('first', { key: 'bad' }),
  })
  await set.hint()
  await set.waitReady('Kustomization', 'settings', bad)
  await set.waitReady('Kustomization', 'web', bad)
  expect(await set.configMap('first')).toEqual({ key: 'bad' })
  const revert = await repo.revert(bad)
  await set.hint()
  await set.waitReady('Kustomization', 'settings', revert)
  await set.waitReady('Kustomization', 'web', revert)
  expect(await set.configMap('first')).toEqual({ key: 'value' })
  expect(await image()).toBe('registry.example/web:1.1.0')
})

test('a dependant is applied after its dependency, at the first sync and at the next commit', async () => {
  const files = (value: string) => ({
    'base/map.yaml': configMapYaml('base', { key: value }),
    'above/map.yaml': configMapYaml('above', { key: value }),
  })
  await repo.commit(files('one'))
  await set.hint()
  await set.applyKustomization('above', { dependsOn: [{ name: 'base' }] })
  expect(await set.waitNotReady('Kustomization', 'above', 'DependencyNotReady')).toContain(
    `'${NAMESPACE}/base'`,
  )
  expect(await set.configMap('above')).toBeUndefined()
  await set.applyKustomization('base')
  await set.waitConfigMap('above', { key: 'one' })
  const commit = await repo.commit(files('two'))
  await set.hint()
  await set.waitReady('Kustomization', 'above', commit)
  expect(await set.configMap('base')).toEqual({ key: 'two' })
  expect(await set.configMap('above')).toEqual({ key: 'two' })
})

test('what was encrypted is live, a Secret that changes is applied at once, and a missing key prunes nothing', async () => {
  const [ours, theirs] = [await newAgeKey(), await newAgeKey()]
  const encrypted = (name: string, age: string) =>
    sopsEncrypt('map.yaml', configMapYaml(name, { key: 'hunter2' }), { age, encrypted_regex: '^data$' })
  await repo.commit({
    'locked/map.yaml': await encrypted('locked', ours.recipient),
    'locked/colored.yaml': configMapYaml('colored', { key: '${color}' }),
  })
  await set.hint()
  await keep('keys', { 'ada.agekey': ours.identity })
  await keep('colors', { color: 'red' })
  await set.applyKustomization('locked', {
    interval: '60m',
    decryption: { provider: 'sops', secretRef: { name: 'keys' } },
    postBuild: { substituteFrom: [{ kind: 'Secret', name: 'colors' }] },
  })
  await set.waitConfigMap('locked', { key: 'hunter2' })
  await set.waitConfigMap('colored', { key: 'red' })
  await keep('colors', { color: 'blue' })
  await set.waitConfigMap('colored', { key: 'blue' })

  await repo.commit({
    'locked/other.yaml': await encrypted('other', theirs.recipient),
    'locked/colored.yaml': null,
  })
  await set.hint()
  expect(await set.waitNotReady('Kustomization', 'locked', 'BuildFailed')).toContain(
    `ConfigMap/${NAMESPACE}/other (locked/other.yaml): no key opens it; it is encrypted for age ${theirs.recipient}`,
  )
  expect(await set.configMap('colored')).toEqual({ key: 'blue' })
  await set.remove(KUSTOMIZATION, 'locked')
})

test('an object of 1.4 MB that the API server refuses is named, and nothing is pruned', async () => {
  await repo.commit({ 'huge/small.yaml': configMapYaml('small') })
  await set.hint()
  await set.applyKustomization('huge')
  await set.waitConfigMap('small', { key: 'value' })
  await repo.commit({
    'huge/small.yaml': null,
    'huge/large.yaml': configMapYaml('large', { key: 'x'.repeat(1_400_000) }),
  })
  await set.hint()
  const message = await set.waitNotReady('Kustomization', 'huge', 'ReconciliationFailed')
  expect(message).toContain(`ConfigMap/${NAMESPACE}/large`)
  expect(message.length).toBeLessThan(2000)
  expect(await set.configMap('small')).toEqual({ key: 'value' })
  await set.remove(KUSTOMIZATION, 'huge')
})

test('a suspended Kustomization stays as it is, and catches up when it resumes', async () => {
  await set.applyKustomization('settings', { suspend: true })
  await waitFor('the suspension is observed', async () => {
    const { status, metadata } = await set.kustomization('settings')
    return status?.observedGeneration === metadata.generation
  })
  const commit = await repo.commit({ 'settings/first.yaml': configMapYaml('first', { key: 'later' }) })
  await set.hint()
  await set.waitReady('Kustomization', 'base', commit)
  await set.waitIdle()
  expect(await set.configMap('first')).toEqual({ key: 'value' })
  await set.applyKustomization('settings', { suspend: false })
  await set.waitReady('Kustomization', 'settings', commit)
  expect(await set.configMap('first')).toEqual({ key: 'later' })
})

test('a suspended GitRepository finds no commit until it resumes', async () => {
  const suspend = (value: boolean) => set.applyGitRepository('fleet', { url: repo.url, suspend: value })
  await suspend(true)
  const commit = await repo.commit({ 'settings/first.yaml': configMapYaml('first', { key: 'resumed' }) })
  await set.hint()
  await set.waitIdle()
  expect(await set.configMap('first')).toEqual({ key: 'later' })
  await suspend(false)
  await set.waitReady('Kustomization', 'settings', commit)
  expect(await set.configMap('first')).toEqual({ key: 'resumed' })
})

test.each<[string, Record<string, FileChange>, string, string | RegExp]>([
  ['invalid YAML', { 'settings/first.yaml': 'a: 1\nb: [' }, 'BuildFailed', /settings\/first\.yaml:2/],
  ['a YAML bomb', { 'settings/bomb.yaml': bomb }, 'BuildFailed', 'settings/bomb.yaml'],
  [
    'a kustomization that names a missing file',
    { 'settings/kustomization.yaml': kustomizationYaml({ resources: ['first.yaml', 'absent.yaml'] }) },
    'BuildFailed',
    'absent.yaml',
  ],
  [
    'a symlink that leaves the repository',
    {
      'settings/link.yaml': { symlink: '../../../etc/passwd' },
      'settings/kustomization.yaml': kustomizationYaml({ resources: ['first.yaml', 'link.yaml'] }),
    },
    'BuildFailed',
    'link.yaml',
  ],
  ['two objects with one id', { 'settings/again.yaml': configMapYaml('first') }, 'BuildFailed', 'again.yaml'],
  [
    'an object that the API server rejects',
    { 'settings/rejected.yaml': configMapYaml('Not_A_Name') },
    'ReconciliationFailed',
    'ConfigMap/flux-system/Not_A_Name dry-run failed',
  ],
  ['a directory that is gone', { 'settings/first.yaml': null }, 'ArtifactFailed', 'path not found'],
])(
  '%s: a clear condition, nothing is lost or pruned, and a revert ends it',
  async (_what, files, reason, says) => {
    const uid = () =>
      set.plane.kubectl('-n', NAMESPACE, 'get', 'configmap', 'first', '-o', 'jsonpath={.metadata.uid}')
    const before = await uid()
    const bad = await repo.commit(files)
    await set.hint()
    expect(await set.waitNotReady('Kustomization', 'settings', reason)).toMatch(says)
    expect(await uid()).toBe(before)
    const revert = await repo.revert(bad)
    await set.hint()
    await set.waitReady('Kustomization', 'settings', revert)
    expect(await uid()).toBe(before)
  },
)

test('a Kustomization that is deleted takes its objects with it', async () => {
  await set.remove(KUSTOMIZATION, 'above')
  expect(await set.configMap('above')).toBeUndefined()
  expect(await set.configMap('base')).toEqual({ key: 'two' })
})

test('a fresh set on an emptied NATS checks everything and writes nothing', async () => {
  const head = await repo.head()
  // Those that the last commit did not touch follow it a little later.
  for (const name of ['web', 'base', 'settings']) await set.waitReady('Kustomization', name, head)
  await set.waitIdle()
  for (const name of SERVICES) await set.services[name].kill()
  await set.nats.restart({ wipe: true })
  const before = await set.writes()
  expect(before['APPLY configmaps']).toBeGreaterThan(0)
  await Promise.all(SERVICES.map((name) => set.services[name].start()))
  // web: Deployment, Service, ConfigMap; base and settings: a ConfigMap each.
  const checks = () => set.services.apply.metric('setpoint_api_requests_total', { verb: 'dry-run' })
  await waitFor('every object was asked about', async () => (await checks()) >= 5)
  await set.waitIdle()
  expect(writesSince(before, await set.writes())).toEqual({})
})

test('no service asked for anything that the chart does not allow it', () => {
  expect(set.refusals()).toEqual([])
})

async function image(): Promise<string> {
  const path = 'jsonpath={.spec.template.spec.containers[0].image}'
  return set.plane.kubectl('-n', NAMESPACE, 'get', 'deployment', 'web', '-o', path)
}

/** A base with a Deployment and a Service, and an overlay that says the image, the replicas and the settings. */
function webFiles(version: string): Record<string, string> {
  return {
    'web/base/kustomization.yaml': kustomizationYaml({ resources: ['deployment.yaml', 'service.yaml'] }),
    'web/base/deployment.yaml': deployment,
    'web/base/service.yaml': service,
    'web/production/kustomization.yaml': kustomizationYaml({
      resources: ['../base'],
      images: [{ name: 'web', newName: 'registry.example/web', newTag: version }],
      replicas: [{ name: 'web', count: 2 }],
      configMapGenerator: [{ name: 'web', literals: ['level=production'] }],
    }),
  }
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: web
          envFrom: [{configMapRef: {name: web}}]
`

const service = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`

function keep(name: string, stringData: Record<string, string>): Promise<unknown> {
  return set.kube.apply(
    { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: NAMESPACE, name }, stringData },
    { fieldManager: 'test' },
  )
}
