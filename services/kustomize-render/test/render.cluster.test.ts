import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, configMap, dataOf, type Files, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup[Symbol.asyncDispose]())

const COUNT = 20
const names = Array.from({ length: COUNT }, (_, index) => `app-${index}`)
const fleet = (changed: Files = {}): Files => ({
  ...Object.assign({}, ...names.map((name) => app(name))),
  ...changed,
})
const renders = () => setup.metric('setpoint_renders_total')

test('a commit renders only what reads a file that it touches, and every revision moves', async () => {
  await setup.push({ ...fleet(), 'README.md': 'hello' }, 'main@sha1:1')
  await Promise.all(names.map((name) => setup.create(name)))
  const first = await Promise.all(names.map((name) => setup.untilRendered(name, 'main@sha1:1')))
  const afterFirst = await renders()
  expect(afterFirst).toBe(COUNT)

  await setup.push({ ...fleet(), 'README.md': 'hello again' }, 'main@sha1:2')
  const second = await Promise.all(names.map((name) => setup.untilRendered(name, 'main@sha1:2')))
  expect(await renders()).toBe(afterFirst)
  expect(second.map(({ set }) => set)).toEqual(first.map(({ set }) => set))

  await setup.push(fleet({ 'app-7/config.yaml': configMap('app-7', 'changed') }), 'main@sha1:3')
  const third = await Promise.all(names.map((name) => setup.untilRendered(name, 'main@sha1:3')))
  expect(await renders()).toBe(afterFirst + 1)
  const changed = third.filter(({ set }, index) => set?.digest !== first[index]?.set?.digest)
  expect(changed.map(({ name }) => name)).toEqual(['app-7'])
  const [object] = await setup.objects(third[7] as never)
  expect(dataOf(object)).toBe('changed')
})

test('a file that is added to a directory without a kustomization file is rendered', async () => {
  await setup.push({ 'plain/a.yaml': configMap('a') }, 'main@sha1:10')
  await setup.create('plain')
  await setup.untilRendered('plain', 'main@sha1:10')
  await setup.push(
    { 'plain/a.yaml': configMap('a'), 'plain/deep/b.yml': configMap('b'), 'plain/note.txt': '' },
    'main@sha1:11',
  )
  const message = await setup.untilRendered('plain', 'main@sha1:11')
  const objects = await setup.objects(message)
  expect(objects.map(({ metadata }) => metadata.name)).toEqual(['a', 'b'])
})

test('a rendered object carries owner labels, common metadata and the defaults of Flux', async () => {
  const files = {
    'web/service.yaml':
      'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\nstatus: {loadBalancer: {}}\n',
    'web/secret.yaml':
      'apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {password: hunter2}\n',
  }
  await setup.push(files, 'main@sha1:20')
  await setup.create('web', {
    targetNamespace: 'shop',
    namePrefix: 'my-',
    commonMetadata: { labels: { team: 'a' }, annotations: { note: 'b' } },
  })
  const objects = await setup.objects(await setup.untilRendered('web', 'main@sha1:20'))
  const labels = {
    'kustomize.toolkit.fluxcd.io/name': 'web',
    'kustomize.toolkit.fluxcd.io/namespace': setup.namespace,
    team: 'a',
  }
  const metadata = { name: 'my-web', namespace: 'shop', labels, annotations: { note: 'b' } }
  const byKind = (kind: string) => objects.find((object) => object.kind === kind)
  expect(byKind('Service')).toEqual({
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { ports: [{ port: 80, protocol: 'TCP' }] },
  })
  const password = Buffer.from('hunter2').toString('base64')
  expect(byKind('Secret')).toEqual({ apiVersion: 'v1', kind: 'Secret', metadata, data: { password } })
})

test('variables come from substituteFrom in order, then substitute; a request reads them again', async () => {
  const { namespace, kube } = setup
  const values = (kind: string, data: Record<string, string>) =>
    kube.create({ apiVersion: 'v1', kind, metadata: { namespace, name: 'values' }, data })
  await values('ConfigMap', { one: 'a', two: 'a', three: 'a' })
  await values('Secret', { two: Buffer.from('b\n').toString('base64'), three: 'YQ==' })
  const off = 'metadata:\n  name: off\n  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}\n'
  await setup.push(
    {
      'vars/a.yaml': configMap('on', '"${one} ${two} ${three} ${four:-d}"'),
      'vars/b.yaml': `apiVersion: v1\nkind: ConfigMap\n${off}data: {key: "\${one}"}\n`,
    },
    'main@sha1:30',
  )
  await setup.create('vars', {
    postBuild: {
      substitute: { three: 'c' },
      substituteFrom: [
        { kind: 'ConfigMap', name: 'values' },
        { kind: 'Secret', name: 'values' },
        { kind: 'Secret', name: 'none', optional: true },
      ],
    },
  })
  const first = await setup.untilRendered('vars', 'main@sha1:30')
  expect((await setup.objects(first)).map(dataOf).sort()).toEqual(['${one}', 'a b c d'])

  await kube.mergePatch(
    { group: '', kind: 'ConfigMap' },
    { namespace, name: 'values' },
    { data: { one: 'z' } },
  )
  await setup.request('vars', 'now')
  const second = await setup.until('vars', 'was asked', ({ requestedAt }) => requestedAt === 'now')
  expect((await setup.objects(second)).map(dataOf)).toContain('z b c d')
})

test('a request that finds nothing new is answered without a build', async () => {
  await setup.push(app('asked'), 'main@sha1:40')
  await setup.create('asked')
  const first = await setup.untilRendered('asked', 'main@sha1:40')
  // Builds of others that the same commit has touched are counted, too.
  for (const name of [...names, 'plain', 'web', 'vars'])
    await setup.until(name, 'has followed', ({ revision }) => revision === 'main@sha1:40')
  const before = await renders()
  await setup.request('asked', 'tomorrow')
  const second = await setup.until('asked', 'was asked', ({ requestedAt }) => requestedAt === 'tomorrow')
  expect(second.set).toEqual(first.set)
  expect(await renders()).toBe(before)
})

test('a changed spec is rendered at its new generation', async () => {
  await setup.push(app('spec'), 'main@sha1:50')
  await setup.create('spec')
  await setup.untilRendered('spec', 'main@sha1:50')
  await setup.patchSpec('spec', { nameSuffix: '-v2' })
  const message = await setup.until('spec', 'is rendered again', ({ generation }) => generation === 2)
  expect((await setup.objects(message))[0]?.metadata.name).toBe('spec-v2')
})

test('a suspended Kustomization is rendered only once it is resumed', async () => {
  await setup.push({ ...app('suspended'), ...app('awake') }, 'main@sha1:60')
  await setup.create('suspended', { suspend: true })
  await setup.create('awake')
  await setup.untilRendered('awake', 'main@sha1:60')
  expect(await setup.last('suspended')).toBeUndefined()
  await setup.patchSpec('suspended', { suspend: false })
  await setup.untilRendered('suspended', 'main@sha1:60')
})

test('a deleted Kustomization leaves no message and no stored set', async () => {
  await setup.push(app('gone'), 'main@sha1:70')
  await setup.create('gone')
  const { set } = await setup.untilRendered('gone', 'main@sha1:70')
  await setup.delete('gone')
  await waitFor('its message is gone', async () => (await setup.last('gone')) === undefined)
  await waitFor('its set is gone', async () => {
    const stored = await setup.bus.bytes.names('setpoint-rendered')
    return !stored.includes(set?.sealed.object ?? '')
  })
})
