import { readdir, truncate } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { GIT_REPOSITORY } from '@setpoint/contracts'
import { startChild, startControlPlane, waitFor } from '@setpoint/testkit'
import { expect, test } from 'vitest'
import { conditionOf, readyMessage, type Setup, startSetup } from './harness.ts'

async function ready(setup: Setup, name: string) {
  const repo = await setup.git.create(name)
  const sha = await repo.commit({ 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n' })
  await setup.create(name, { url: repo.url, interval: '1s' })
  return { repo, sha, ready: await setup.untilReady(name, 'True') }
}

async function restart(setup: Setup, between: () => Promise<void> = async () => undefined): Promise<void> {
  await setup.service.child.kill()
  await between()
  await setup.service.start()
}

const repositoryDirectory = (setup: Setup, uid: string | undefined) =>
  join(setup.service.storage, 'repositories', uid ?? '')

test('a restart fetches nothing and writes nothing when nothing has moved, and goes on by increments', async () => {
  await using setup = await startSetup()
  const { repo } = await ready(setup, 'restarted')
  const second = await repo.commit({ 'a.yaml': 'a: 2\n' })
  await setup.untilCommit('restarted', second)
  const before = setup.traffic('restarted')
  const { metadata } = await setup.get('restarted')
  await restart(setup)
  await waitFor('it has looked', () => setup.traffic('restarted').requests > before.requests + 1)
  expect(setup.traffic('restarted').fetches).toBe(before.fetches)
  expect((await setup.get('restarted')).metadata.resourceVersion).toBe(metadata.resourceVersion)
  const third = await repo.commit({ 'b.yaml': 'b: 2\n' })
  await setup.untilCommit('restarted', third)
  expect(await setup.metric('setpoint_source_fetches_total', { extent: 'new' })).toBe(1)
  expect(await setup.metric('setpoint_source_fetches_total', { extent: 'full' })).toBe(0)
  expect(await setup.files('restarted')).toEqual({ 'a.yaml': 'a: 2\n', 'b.yaml': 'b: 2\n' })
})

test.each(['packs', 'snapshot', 'state', 'everything'])(
  'damaged cache (%s): it is made again, and the next commit goes through',
  async (part) => {
    await using setup = await startSetup()
    const { repo, ready: before } = await ready(setup, 'damaged')
    const { artifact } = before.status ?? {}
    await restart(setup, () => damage(repositoryDirectory(setup, before.metadata.uid), part))
    const sha = await repo.commit({ 'a.yaml': 'a: 2\n' })
    await setup.untilCommit('damaged', sha)
    expect(await setup.files('damaged')).toEqual({ 'a.yaml': 'a: 2\n', 'b.yaml': 'b: 1\n' })
    expect((await setup.get('damaged')).status?.artifact?.digest).not.toBe(artifact?.digest)
  },
)

test('a lost disk: the same artifact comes back, without a write to the status', async () => {
  await using setup = await startSetup()
  const { ready: before } = await ready(setup, 'lost')
  const message = await setup.message('lost')
  await restart(setup, () => damage(repositoryDirectory(setup, before.metadata.uid), 'everything'))
  await waitFor(
    'it was fetched again',
    async () => (await setup.metric('setpoint_source_fetches_total')) === 1,
  )
  await waitFor('the archive is back', async () => (await fetch(before.status?.artifact?.url ?? '')).ok)
  expect(await setup.message('lost')).toEqual(message)
  expect((await setup.get('lost')).metadata.resourceVersion).toBe(before.metadata.resourceVersion)
})

test('servers that never answer hold up nobody else, however many there are', async () => {
  await using setup = await startSetup({ args: ['--concurrent=1'] })
  const waiting = new Set<Socket>()
  const silent = createServer((socket) => void waiting.add(socket))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  for (const name of ['silent-1', 'silent-2'])
    await setup.create(name, { url: `http://127.0.0.1:${port}/${name}`, timeout: '60s' })
  await waitFor('both are asked', () => waiting.size >= 2)
  await ready(setup, 'neighbour')
  expect(conditionOf(await setup.get('silent-1'), 'Ready')?.status).not.toBe('True')
  for (const socket of waiting) socket.destroy()
  silent.close()
})

test('NATS away: Ready=False says so, and the artifact goes out when it is back', async () => {
  await using setup = await startSetup()
  const { repo, sha } = await ready(setup, 'mute')
  await setup.nats.kill()
  const second = await repo.commit({ 'a.yaml': 'a: 2\n' })
  const failed = await setup.untilReady('mute', 'False', 'PublishFailed')
  expect(conditionOf(failed, 'StorageOperationFailed')?.status).toBe('True')
  expect(failed.status?.artifact?.revision).toBe(`main@sha1:${sha}`)
  await setup.nats.restart()
  await setup.untilCommit('mute', second)
  await waitFor('the message is there', async () => (await setup.message('mute'))?.revision.endsWith(second))
})

test('NATS loses its store: everything is published again, with no fetch', async () => {
  await using setup = await startSetup()
  const { sha } = await ready(setup, 'wiped')
  const before = setup.traffic('wiped')
  await setup.nats.restart({ wipe: true })
  await waitFor(
    'the message is back',
    async () => (await setup.message('wiped'))?.revision === `main@sha1:${sha}`,
  )
  await waitFor('the snapshot is back', () =>
    setup.files('wiped').then((files) => files['a.yaml'] === 'a: 1\n'),
  )
  expect(setup.traffic('wiped').fetches).toBe(before.fetches)
})

test('the API server away: commits go on to the bus, and the status follows when it is back', async () => {
  await using plane = await startControlPlane()
  await plane.kubectl(
    'apply',
    '--server-side',
    '-f',
    join(import.meta.dirname, '../../../charts/setpoint/crds'),
  )
  await using setup = await startSetup({ kubeconfig: plane.kubeconfig })
  const { repo } = await ready(setup, 'alone')
  await plane.stopApiServer()
  const second = await repo.commit({ 'a.yaml': 'a: 2\n' })
  await waitFor('the message is there', async () => (await setup.message('alone'))?.revision.endsWith(second))
  await plane.startApiServer()
  await setup.untilCommit('alone', second)
})

test('more bytes than the limit are refused with the limit named, and a smaller repository goes through', async () => {
  await using setup = await startSetup({
    args: ['--max-fetch-bytes=1000000', '--max-artifact-bytes=2000000'],
  })
  const { repo, sha } = await ready(setup, 'bounded')
  const noise = Buffer.from(
    Array.from({ length: 20 }, () => crypto.getRandomValues(new Uint8Array(65_536))).flatMap((part) => [
      ...part,
    ]),
  )
  await repo.commit({ 'noise.bin': noise })
  const failed = await setup.untilReady('bounded', 'False', 'GitOperationFailed')
  expect(readyMessage(failed)).toContain('more than the limit of 1000000 bytes')
  expect(failed.status?.artifact?.revision).toBe(`main@sha1:${sha}`)
  await repo.commit({ 'noise.bin': null, 'zeros.bin': Buffer.alloc(3_000_000) })
  const large = await setup.create('unpacked', { url: repo.url })
  expect(
    readyMessage(await setup.untilReady(large.metadata.name, 'False', 'ArchiveOperationFailed')),
  ).toContain('2000000 bytes')
  await setup.kube.delete(GIT_REPOSITORY, { namespace: setup.namespace, name: 'bounded' })
})

test('a full disk: a clear condition, the artifact stays, and it recovers when there is room', async () => {
  await using setup = await startSetup({ spawn: onSmallDisk })
  const { repo, sha } = await ready(setup, 'full')
  const noise = () => Buffer.from(crypto.getRandomValues(new Uint8Array(65_536)))
  await repo.commit(Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`${n}.bin`, noise()])))
  const failed = await setup.untilReady('full', 'False', 'ArchiveOperationFailed')
  expect(readyMessage(failed)).toMatch(/ENOSPC|EFBIG/)
  expect(conditionOf(failed, 'StorageOperationFailed')?.status).toBe('True')
  expect(failed.status?.artifact?.revision).toBe(`main@sha1:${sha}`)
  expect((await fetch(failed.status?.artifact?.url ?? '')).status).toBe(200)
  await repo.deleteRef('refs/heads/main')
  const small = await repo.commit({ 'a.yaml': 'a: 3\n' })
  await setup.untilCommit('full', small)
})

/** A disk of one MiB, in a mount namespace of its own; where that is not allowed, files of at most one MiB. */
async function onSmallDisk(args: string[], storage: string) {
  const program = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, '../src/main.ts'),
    ...args,
  ]
  const quoted = program.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')
  const mount = `mount -t tmpfs -o size=1m tmpfs '${storage}'`
  const mayMount = await startChild('unshare', 'unshare', ['-rm', 'sh', '-c', mount])
    .then((child) => child.exited)
    .then(({ code }) => code === 0)
    .catch(() => false)
  if (mayMount) return startChild('source', 'unshare', ['-rm', 'sh', '-c', `${mount} && exec ${quoted}`])
  return startChild('source', 'sh', ['-c', `ulimit -f 1024 && exec ${quoted}`])
}

async function damage(directory: string, part: string): Promise<void> {
  const { rm, writeFile } = await import('node:fs/promises')
  if (part === 'everything') await rm(directory, { recursive: true })
  if (part === 'snapshot') await truncate(join(directory, 'snapshot'), 10)
  if (part === 'state') await writeFile(join(directory, 'state.json'), '{"half')
  if (part !== 'packs') return
  const packs = join(directory, 'git', 'objects', 'pack')
  for (const file of await readdir(packs)) await truncate(join(packs, file), 100)
}
