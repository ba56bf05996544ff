import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, configMap, type Files, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
  await setup.push(FILES, 'main@sha1:1')
})
afterAll(() => setup[Symbol.asyncDispose]())

const bomb = Array.from(
  { length: 12 },
  (_, level) =>
    `a${level}: &a${level} [${Array(10)
      .fill(level === 0 ? 'x' : `*a${level - 1}`)
      .join(', ')}]`,
).join('\n')

const FILES: Files = {
  ...app('good'),
  'invalid/kustomization.yaml': 'resources: [config.yaml]\n',
  'invalid/config.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n data: {b: c}\n',
  'incomplete/kustomization.yaml': 'resources: [config.yaml, absent.yaml]\n',
  'incomplete/config.yaml': configMap('a'),
  'twice/one.yaml': configMap('same', '1'),
  'twice/two.yaml': configMap('same', '2'),
  'twice-by-name/one.yaml': configMap('same-a'),
  'twice-by-name/two.yaml': configMap('same-${letter}'),
  'link/kustomization.yaml': 'resources: [outside.yaml]\n',
  'link/outside.yaml': { symlink: '../../../etc/passwd' },
  'above/kustomization.yaml': 'resources: [../../other]\n',
  'remote/kustomization.yaml': 'resources: ["https://example.com/x//y?ref=v1"]\n',
  'bomb/kustomization.yaml': 'resources: [bomb.yaml]\n',
  'bomb/bomb.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\n${bomb}\n`,
  'many/kustomization.yaml': 'resources: [many.yaml]\n',
  'many/many.yaml': Array.from({ length: 100_001 }, (_, index) => `a: ${index}\n`).join('---\n'),
  'unset/config.yaml': configMap('unset', '${nowhere}'),
  'structure/config.yaml': configMap('structure', '${password}'),
  'identity/config.yaml': configMap('${empty}'),
}

test('a path that does not exist is named', async () => {
  await setup.create('absent')
  const message = await setup.untilProblem('absent', 'ArtifactFailed')
  expect(message).toMatch(/kustomization path not found: .*absent/)
})

test('invalid YAML is named with its file and line', async () => {
  await setup.create('invalid')
  expect(await setup.untilProblem('invalid', 'BuildFailed')).toMatch(/invalid\/config\.yaml:5/)
})

test('a kustomization that names a missing file is named with the file', async () => {
  await setup.create('incomplete')
  expect(await setup.untilProblem('incomplete', 'BuildFailed')).toContain('absent.yaml')
})

test('two objects with the same id are named with both files', async () => {
  await setup.create('twice')
  const message = await setup.untilProblem('twice', 'BuildFailed')
  expect(message).toContain('one.yaml')
  expect(message).toContain('two.yaml')
})

test('two objects that get the same id by a substitution are named with both files', async () => {
  await setup.create('twice-by-name', { postBuild: { substitute: { letter: 'a' } } })
  const message = await setup.untilProblem('twice-by-name', 'BuildFailed')
  expect(message).toContain('ConfigMap/same-a')
  expect(message).toContain('one.yaml')
  expect(message).toContain('two.yaml')
})

test('a symlink that leaves the repository is refused', async () => {
  await setup.create('link')
  expect(await setup.untilProblem('link', 'BuildFailed')).toContain('outside.yaml')
})

test('a resource outside of the repository is refused', async () => {
  await setup.create('above')
  expect(await setup.untilProblem('above', 'BuildFailed')).toContain('other')
})

test('a remote base is refused', async () => {
  await setup.create('remote')
  expect(await setup.untilProblem('remote', 'BuildFailed')).toContain('example.com')
})

test('a YAML bomb and 100,001 documents are refused in bounded time, and a neighbour is rendered', async () => {
  const start = Date.now()
  await setup.create('bomb')
  await setup.create('many')
  await setup.create('good')
  expect(await setup.untilProblem('bomb', 'BuildFailed')).toContain('bomb.yaml')
  expect(await setup.untilProblem('many', 'BuildFailed')).toContain('many.yaml')
  await setup.untilRendered('good', 'main@sha1:1')
  expect(Date.now() - start).toBeLessThan(20_000)
})

test('a missing Secret in substituteFrom is named, and rendering goes on when it appears', async () => {
  const { namespace, kube } = setup
  await setup.create('unset', {
    retryInterval: '1s',
    postBuild: { substituteFrom: [{ kind: 'Secret', name: 'later' }] },
  })
  expect(await setup.untilProblem('unset', 'BuildFailed')).toContain(`Secret ${namespace}/later`)
  const data = { nowhere: Buffer.from('here').toString('base64') }
  await kube.create({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: 'later' }, data })
  await setup.untilRendered('unset', 'main@sha1:1')
})

test('a variable without a value is named with its object', async () => {
  await setup.patchSpec('unset', { postBuild: { substitute: { other: 'x' }, substituteFrom: null } })
  const { problem } = await setup.until('unset', 'fails', (message) => message.problem !== undefined)
  expect(problem?.message).toContain('ConfigMap/unset')
  expect(problem?.message).toContain('"nowhere"')
})

test('a value that breaks the YAML is not shown', async () => {
  const { namespace, kube } = setup
  const data = { password: Buffer.from('{hunter2: [').toString('base64') }
  await kube.create({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: 'broken' }, data })
  await setup.create('structure', { postBuild: { substituteFrom: [{ kind: 'Secret', name: 'broken' }] } })
  const message = await setup.untilProblem('structure', 'BuildFailed')
  expect(message).toContain('ConfigMap/structure')
  expect(message).not.toContain('hunter2')
  expect(setup.service.child.logs()).not.toContain('hunter2')
})

test('an object that loses its name by a substitution is a problem of its own', async () => {
  await setup.create('identity', { postBuild: { substitute: { empty: '' } } })
  expect(await setup.untilProblem('identity', 'BuildFailed')).toContain('identity/config.yaml')
})

test('a bad variable name is named', async () => {
  const { namespace, kube } = setup
  const data = { 'not-a-name': 'x' }
  await kube.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'names' }, data })
  await setup.create('names', {
    path: './good',
    postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: 'names' }] },
  })
  expect(await setup.untilProblem('names', 'BuildFailed')).toContain('not-a-name')
})

test('a source that does not exist is named', async () => {
  await setup.create('lost', { sourceRef: { kind: 'GitRepository', name: 'nowhere' } })
  const message = await setup.untilProblem('lost', 'ArtifactFailed')
  expect(message).toBe(`Source 'GitRepository/${setup.namespace}/nowhere' not found`)
})

test('a source in another namespace is refused', async () => {
  await setup.create('abroad', {
    sourceRef: { kind: 'GitRepository', name: 'fleet', namespace: 'elsewhere' },
  })
  expect(await setup.untilProblem('abroad', 'AccessDenied')).toBe(
    "can't access 'GitRepository/elsewhere/fleet', cross-namespace references have been blocked",
  )
})

test('a path that leaves the repository is refused', async () => {
  await setup.create('escape', { path: '../../etc' })
  const { problem } = await setup.until('escape', 'is answered', () => true)
  expect(problem?.message).toContain('leaves')
})

test('once the commit that mends a file is there, it is rendered', async () => {
  await setup.push({ ...FILES, 'invalid/config.yaml': configMap('mended') }, 'main@sha1:2')
  await setup.untilRendered('invalid', 'main@sha1:2')
})
