import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configMap, type Files, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

/** Twenty apps, each of one file and a kustomization. */
function fleet(change: Files = {}): Files {
  const files: Files = { 'README.md': 'a fleet' }
  for (let index = 0; index < 20; index += 1) {
    files[`apps/app-${index}/kustomization.yaml`] = 'resources: [config.yaml]\n'
    files[`apps/app-${index}/config.yaml`] = configMap(`app-${index}`)
  }
  return { ...files, ...change }
}

test('a Kustomization becomes a sealed set with Flux’s fields and owner labels', async () => {
  await setup.say('main@sha1:1', fleet())
  await setup.create('app-0', {
    targetNamespace: 'prod',
    namePrefix: 'the-',
    commonMetadata: { labels: { team: 'web' } },
    patches: [
      { patch: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app-0}\ndata: {patched: "yes"}\n' },
    ],
  })
  const message = await setup.rendered('app-0', 'main@sha1:1')
  const [object] = await setup.open(message)
  expect(message.set?.objects).toBe(1)
  expect(object?.metadata).toMatchObject({
    name: 'the-app-0',
    namespace: 'prod',
    labels: {
      team: 'web',
      'kustomize.toolkit.fluxcd.io/name': 'app-0',
      'kustomize.toolkit.fluxcd.io/namespace': setup.namespace,
    },
  })
  expect(object?.data).toEqual({ key: 'value', patched: 'yes' })
})

describe('a commit', () => {
  test('renders the one app of twenty that it touches, and the others only follow the revision', async () => {
    await setup.say('main@sha1:2', fleet())
    for (let index = 1; index < 20; index += 1) await setup.create(`app-${index}`)
    const before = new Map<string, string | undefined>()
    for (let index = 1; index < 20; index += 1)
      before.set(`app-${index}`, (await setup.rendered(`app-${index}`, 'main@sha1:2')).set?.digest)
    const renders = await setup.metric('setpoint_renders_total')
    await setup.say('main@sha1:3', fleet({ 'apps/app-7/config.yaml': configMap('app-7', { key: 'new' }) }))
    for (const [name, digest] of before) {
      const message = await setup.rendered(name, 'main@sha1:3')
      expect(message.set?.digest === digest).toBe(name !== 'app-7')
    }
    expect(await setup.metric('setpoint_renders_total')).toBe(renders + 1)
  })

  test('that touches no file of any app renders nothing', async () => {
    const renders = await setup.metric('setpoint_renders_total')
    await setup.say('main@sha1:4', fleet({ 'README.md': 'a better fleet', 'docs/new.md': 'x' }))
    for (let index = 1; index < 20; index += 1) await setup.rendered(`app-${index}`, 'main@sha1:4')
    // app-7 is back to what it was before the commit of the test above.
    expect(await setup.metric('setpoint_renders_total')).toBe(renders + 1)
  })

  test('that adds a file to a directory without a kustomization is seen', async () => {
    await setup.say('main@sha1:5', { 'apps/plain/a.yaml': configMap('a') })
    await setup.create('plain')
    expect((await setup.rendered('plain', 'main@sha1:5')).set?.objects).toBe(1)
    await setup.say('main@sha1:6', {
      'apps/plain/a.yaml': configMap('a'),
      'apps/plain/b.yaml': configMap('b'),
    })
    expect((await setup.rendered('plain', 'main@sha1:6')).set?.objects).toBe(2)
  })
})

describe('variables', () => {
  test('come from ConfigMaps and Secrets in order, then from the spec, and a request reads them again', async () => {
    const { kube, namespace } = setup
    const object = (kind: string, data: Record<string, string>) => ({
      apiVersion: 'v1',
      kind,
      metadata: { namespace, name: 'vars' },
      data,
    })
    await kube.create(object('ConfigMap', { a: 'from-map', b: 'from-map', c: 'from-map' }))
    await kube.create(
      object('Secret', {
        b: Buffer.from('from-secret\n').toString('base64'),
        c: Buffer.from('x').toString('base64'),
      }),
    )
    await setup.say('main@sha1:7', {
      'apps/vars/c.yaml': configMap('vars', { value: '${a} ${b} ${c} ${d:-none} $${e}' }),
    })
    await setup.create('vars', {
      postBuild: {
        substituteFrom: [
          { kind: 'ConfigMap', name: 'vars' },
          { kind: 'Secret', name: 'vars' },
        ],
        substitute: { c: 'from-spec' },
      },
    })
    const first = await setup.rendered('vars', 'main@sha1:7')
    expect((await setup.open(first))[0]?.data).toEqual({ value: 'from-map from-secret from-spec none ${e}' })
    await kube.mergePatch(
      { group: '', version: 'v1', kind: 'ConfigMap' },
      { namespace, name: 'vars' },
      { data: { a: 'newer' } },
    )
    await setup.request('vars', 'again')
    const second = await waitFor('the request is answered', async () => {
      const message = await setup.rendered('vars', 'main@sha1:7')
      return message.requestedAt === 'again' && message
    })
    expect((await setup.open(second))[0]?.data).toEqual({ value: 'newer from-secret from-spec none ${e}' })
  })

  test('that are not set are a problem naming the object, its file and the variable', async () => {
    await setup.say('main@sha1:8', { 'apps/unset/c.yaml': configMap('unset', { value: '${missing}' }) })
    await setup.create('unset', { postBuild: { substitute: { other: 'x' } } })
    const { reason, message } = await setup.problem('unset')
    expect(reason).toBe('BuildFailed')
    expect(message).toContain('ConfigMap/unset (apps/unset/c.yaml)')
    expect(message).toContain('"missing"')
  })

  test('of a Secret that does not exist are a problem naming it', async () => {
    await setup.say('main@sha1:9', { 'apps/nosecret/c.yaml': configMap('nosecret') })
    await setup.create('nosecret', { postBuild: { substituteFrom: [{ kind: 'Secret', name: 'absent' }] } })
    expect((await setup.problem('nosecret')).message).toContain(`Secret ${setup.namespace}/absent`)
  })
})

describe('bad input is refused by file and line', () => {
  const bomb = `${Array.from(
    { length: 12 },
    (_, level) =>
      `a${level}: &a${level} [${
        level === 0
          ? '"x"'
          : Array(10)
              .fill(`*a${level - 1}`)
              .join(', ')
      }]`,
  ).join('\n')}\n`
  test.each<[string, Files, string, RegExp]>([
    ['a path that does not exist', {}, 'ArtifactFailed', /kustomization path not found/],
    [
      'invalid YAML',
      { 'apps/BAD/a.yaml': 'kind: ConfigMap\n  bad: [\n' },
      'BuildFailed',
      /apps\/.*a\.yaml:2/,
    ],
    [
      'a kustomization that names a missing file',
      { 'apps/BAD/kustomization.yaml': 'resources: [none.yaml]\n' },
      'BuildFailed',
      /kustomization\.yaml.*none\.yaml/s,
    ],
    [
      'two objects with one id',
      { 'apps/BAD/a.yaml': configMap('same'), 'apps/BAD/b.yaml': configMap('same') },
      'BuildFailed',
      /same/,
    ],
    [
      'a symlink that leaves the repository',
      {
        'apps/BAD/kustomization.yaml': 'resources: [link.yaml]\n',
        'apps/BAD/link.yaml': { symlink: '../../../etc/passwd' },
      },
      'BuildFailed',
      /link\.yaml/,
    ],
    [
      'a resource outside of the repository',
      { 'apps/BAD/kustomization.yaml': 'resources: [../../../other]\n' },
      'BuildFailed',
      /other/,
    ],
    [
      'a remote base',
      { 'apps/BAD/kustomization.yaml': 'resources: ["https://example.com/x//y?ref=v1"]\n' },
      'BuildFailed',
      /example\.com/,
    ],
    ['a YAML bomb', { 'apps/BAD/bomb.yaml': bomb }, 'BuildFailed', /bomb\.yaml/],
  ])('%s', async (situation, files, reason, message) => {
    const name = situation.toLowerCase().replaceAll(/[^a-z]+/g, '-')
    const own = Object.fromEntries(
      Object.entries(files).map(([path, text]) => [path.replace('BAD', name), text]),
    )
    const revision = `main@sha1:${name}`
    await setup.say(revision, { 'README.md': 'x', ...own })
    await setup.create(name)
    const problem = await setup.problem(name, revision)
    expect(problem.message).toMatch(message)
    expect(problem).toMatchObject({ reason, stalled: false })
  })

  test('a source that does not exist, and a good build after a bad one', async () => {
    await setup.create('later', { sourceRef: { kind: 'GitRepository', name: 'none' } })
    expect(await setup.problem('later')).toMatchObject({
      reason: 'ArtifactFailed',
      message: expect.stringContaining('not found'),
    })
    await setup.say('main@sha1:a', { 'apps/mends/a.yaml': ': : :' })
    await setup.create('mends')
    await setup.problem('mends')
    await setup.say('main@sha1:b', { 'apps/mends/a.yaml': configMap('mends') })
    expect((await setup.rendered('mends', 'main@sha1:b')).set?.objects).toBe(1)
  })
})

describe('faults', () => {
  test('a restart says nothing new when nothing changed', async () => {
    await setup.say('main@sha1:c', { 'apps/steady/a.yaml': configMap('steady') })
    await setup.create('steady')
    const before = await setup.rendered('steady', 'main@sha1:c')
    await setup.restart()
    await waitFor(
      'the renders after the restart',
      async () => (await setup.metric('setpoint_renders_total')) > 0,
    )
    await waitFor('its queue is empty', async () => (await setup.metric('workqueue_depth')) === 0)
    expect(await setup.rendered('steady', 'main@sha1:c')).toEqual(before)
    expect((await setup.open(before))[0]?.metadata.name).toBe('steady')
  })

  test('a wiped NATS gets the same digests again', async () => {
    const before = await setup.rendered('steady', 'main@sha1:c')
    await setup.nats.restart({ wipe: true })
    await waitFor('the bus is back', () => setup.bus.flush().then(() => true))
    await waitFor('the source can speak again', () => setup.sayAgain().then(() => true))
    const after = await setup.rendered('steady', 'main@sha1:c')
    expect(after.set?.digest).toBe(before.set?.digest)
    expect((await setup.open(after))[0]?.metadata.name).toBe('steady')
  })

  test('a Secret that was rendered is nowhere on NATS in plain', async () => {
    const secret = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      stringData: { password: 'correct-horse-battery' },
    })
    await setup.say('main@sha1:d', {
      'apps/steady/a.yaml': configMap('steady', { changed: 'yes' }),
      'sealed/README': '',
    })
    await setup.rendered('steady', 'main@sha1:d')
    await setup.kube.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: setup.namespace, name: 'pw' },
      data: { password: 'correct-horse-battery' },
    })
    await setup.say('main@sha1:e', {
      'apps/secret/a.yaml': secret.replace('correct-horse-battery', '${password}'),
    })
    await setup.create('secret', { postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: 'pw' }] } })
    const [object] = await setup.open(await setup.rendered('secret', 'main@sha1:e'))
    const encoded = Buffer.from('correct-horse-battery').toString('base64')
    expect(object?.data).toEqual({ password: encoded })
    const stored = await storedBytes(setup.nats.storeDir)
    expect(stored.includes('setpoint.rendered')).toBe(true)
    expect(stored.includes('correct-horse-battery') || stored.includes(encoded)).toBe(false)
    expect(setup.logs()).not.toContain('correct-horse-battery')
  })

  test('a Kustomization that is deleted leaves no message', async () => {
    await setup.kube.delete(
      { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization' },
      { namespace: setup.namespace, name: 'secret' },
    )
    await waitFor('its sets are gone', async () => {
      const names = await setup.bus.listBytes('setpoint-rendered')
      return !names.some((name) => name.startsWith(`${setup.namespace}.secret.`))
    })
  })
})

async function storedBytes(directory: string): Promise<Buffer> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Buffer.concat(await Promise.all(files.map((file) => readFile(file))))
}
