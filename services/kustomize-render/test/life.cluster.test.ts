import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { waitFor } from '@setpoint/testkit'
import { expect, test } from 'vitest'
import { app, configMap, type Files, startSetup } from './harness.ts'

const names = ['a', 'b', 'c']
const files: Files = Object.assign({}, ...names.map((name) => app(name)))

test('after a restart or a kill nothing is said again, and the next commit is rendered', async () => {
  await using setup = await startSetup()
  await setup.push(files, 'main@sha1:1')
  for (const name of names) await setup.create(name)
  const before = await Promise.all(names.map((name) => setup.untilRendered(name, 'main@sha1:1')))
  await setup.service.stop()
  await setup.service.start()
  await setup.service.kill()
  await setup.service.start()
  await waitFor(
    'all are rendered',
    async () => (await setup.metric('setpoint_renders_total')) >= names.length,
  )
  expect(await setup.publishedCount()).toBe(0)
  expect(await Promise.all(names.map((name) => setup.last(name)))).toEqual(before)
  await setup.push({ ...files, 'a/config.yaml': configMap('a', 'new') }, 'main@sha1:2')
  for (const name of names) await setup.untilRendered(name, 'main@sha1:2')
})

test('what was deleted while it was away is taken back', async () => {
  await using setup = await startSetup()
  await setup.push(files, 'main@sha1:1')
  for (const name of names) await setup.create(name)
  for (const name of names) await setup.untilRendered(name, 'main@sha1:1')
  await setup.service.stop()
  await setup.delete('a')
  await setup.service.start()
  await waitFor('the message is gone', async () => (await setup.last('a')) === undefined)
  expect(await setup.last('b')).toBeDefined()
})

test('when NATS has lost its store, the same sets are said again', async () => {
  await using setup = await startSetup()
  await setup.push(files, 'main@sha1:1')
  for (const name of names) await setup.create(name)
  const before = await Promise.all(names.map((name) => setup.untilRendered(name, 'main@sha1:1')))
  await setup.nats.restart({ wipe: true })
  await setup.untilBusIsBack()
  const again = waitFor('it is said again', () => setup.pushAgain().then(() => true))
  await again
  const after = await Promise.all(names.map((name) => setup.untilRendered(name, 'main@sha1:1')))
  expect(after.map(({ set }) => set?.digest)).toEqual(before.map(({ set }) => set?.digest))
  for (const message of after) expect(await setup.objects(message)).toHaveLength(1)
})

test('a set that is gone while its message is still there is stored again after a start', async () => {
  await using setup = await startSetup()
  await setup.push(files, 'main@sha1:1')
  await setup.create('a')
  const before = await setup.untilRendered('a', 'main@sha1:1')
  await setup.service.kill()
  await setup.bus.bytes.delete('setpoint-rendered', before.set?.sealed.object ?? '')
  await setup.service.start()
  const after = await waitFor('the set can be read', async () => {
    const message = await setup.last('a')
    return message !== undefined && (await setup.objects(message)).length === 1 && message
  })
  expect(after.set?.digest).toBe(before.set?.digest)
})

test('a commit that comes while NATS is away is rendered once it is back', async () => {
  await using setup = await startSetup()
  await setup.push(files, 'main@sha1:1')
  for (const name of names) await setup.create(name)
  for (const name of names) await setup.untilRendered(name, 'main@sha1:1')
  await setup.nats.kill()
  await setup.patchSpec('a', { nameSuffix: '-x' })
  await setup.nats.restart()
  await setup.untilBusIsBack()
  await setup.until('a', 'is rendered anew', ({ generation }) => generation === 2)
})

test('a Secret of the repository and one of substituteFrom are not in the store of NATS, nor in the log', async () => {
  await using setup = await startSetup()
  const { namespace, kube } = setup
  const fromCluster = 'correct-horse-battery'
  const data = { password: Buffer.from(fromCluster).toString('base64') }
  await kube.create({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: 'values' }, data })
  await setup.push({ 'a/config.yaml': configMap('a', '${password}') }, 'main@sha1:1')
  await setup.create('a', { postBuild: { substituteFrom: [{ kind: 'Secret', name: 'values' }] } })
  const message = await setup.untilRendered('a', 'main@sha1:1')
  expect(JSON.stringify(await setup.objects(message))).toContain(fromCluster)
  await setup.nats.kill()
  for (const text of [fromCluster, data.password])
    expect(await filesWith(text, setup.nats.storeDir)).toEqual([])
  expect(await filesWith(namespace, setup.nats.storeDir)).not.toEqual([])
  expect(setup.service.child.logs()).not.toContain(fromCluster)
})

test('a source that was deleted is a problem, and no set is said', async () => {
  await using setup = await startSetup()
  await setup.push(files, 'main@sha1:1')
  await setup.create('a')
  await setup.untilRendered('a', 'main@sha1:1')
  await setup.kube.delete(
    { group: 'source.toolkit.fluxcd.io', kind: 'GitRepository' },
    { namespace: setup.namespace, name: 'fleet' },
  )
  await setup.removeSource()
  expect(await setup.untilProblem('a', 'ArtifactFailed')).toContain('not found')
})

test('a source in another namespace is looked for where that is allowed', async () => {
  await using setup = await startSetup(['--no-cross-namespace-refs=false'])
  await setup.create('a', { sourceRef: { kind: 'GitRepository', name: 'fleet', namespace: 'elsewhere' } })
  expect(await setup.untilProblem('a', 'ArtifactFailed')).toContain('GitRepository/elsewhere/fleet')
})

async function filesWith(text: string, directory: string): Promise<string[]> {
  try {
    const { stdout } = await promisify(execFile)('grep', ['-rlaF', text, directory])
    return stdout.trim().split('\n')
  } catch {
    return []
  }
}
