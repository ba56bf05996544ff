import { createHash } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FINALIZER, GIT_REPOSITORY } from '@setpoint/contracts'
import { type FileChange, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup[Symbol.asyncDispose]())

async function archiveOf(url: string): Promise<Buffer> {
  const response = await fetch(url)
  expect(response.status).toBe(200)
  return Buffer.from(await response.arrayBuffer())
}

test('a branch becomes an artifact: status, message, archive and event', async () => {
  const repo = await setup.git.create('first')
  const sha = await repo.commit(
    { 'apps/a.yaml': 'a: 1\n', 'README.md': 'hello\n' },
    { message: 'Start the fleet' },
  )
  await setup.create('first', { url: repo.url })
  const ready = await setup.untilReady('first', 'True')
  const revision = `main@sha1:${sha}`
  expect(ready.metadata.finalizers).toContain(FINALIZER)
  expect(ready.status).toMatchObject({
    observedGeneration: 1,
    artifact: { revision, path: `gitrepository/${setup.namespace}/first/${sha}.tar.gz` },
  })
  const stored = {
    status: 'True',
    reason: 'Succeeded',
    message: `stored artifact for revision '${revision}'`,
  }
  expect(ready.status?.conditions).toMatchObject([
    { type: 'Ready', ...stored, observedGeneration: 1 },
    { type: 'ArtifactInStorage', ...stored },
  ])
  expect(await setup.message('first')).toMatchObject({
    revision,
    uid: ready.metadata.uid,
    url: ready.status?.artifact?.url,
  })
  expect(await setup.files('first')).toEqual({ 'apps/a.yaml': 'a: 1\n', 'README.md': 'hello\n' })
  const archive = await archiveOf(ready.status?.artifact?.url ?? '')
  expect(archive.length).toBe(ready.status?.artifact?.size)
  expect(`sha256:${createHash('sha256').update(archive).digest('hex')}`).toBe(ready.status?.artifact?.digest)
  const event = await waitFor('an event', async () =>
    (await setup.events('first')).find(({ reason }) => reason === 'NewArtifact'),
  )
  expect(event).toMatchObject({ type: 'Normal', message: "stored artifact for commit 'Start the fleet'" })
})

test('after a hint, a one-file commit to a large repository moves kilobytes', async () => {
  const repo = await setup.git.create('large')
  const many = Array.from({ length: 5_000 }, (_, n) => [
    `apps/t${n % 50}/a${n}.yaml`,
    `${crypto.randomUUID()}\n`.repeat(9),
  ])
  await repo.commit(Object.fromEntries(many))
  await setup.create('large', { url: repo.url })
  await setup.untilReady('large', 'True')
  const before = setup.traffic('large')
  const published = await setup.metric('setpoint_bus_published_bytes_total')
  const sha = await repo.commit({ 'apps/t1/a1.yaml': 'changed\n' })
  const startedAt = performance.now()
  setup.hint('large')
  await waitFor('the message is there', async () => (await setup.message('large'))?.revision.endsWith(sha), {
    intervalMs: 5,
  })
  const elapsedMs = performance.now() - startedAt
  await setup.untilCommit('large', sha)
  const after = setup.traffic('large')
  expect(after.sentBytes - before.sentBytes).toBeLessThan(20_000)
  const sent = (await setup.metric('setpoint_bus_published_bytes_total')) - published
  expect(sent).toBeLessThan(20_000)
  expect((await setup.files('large'))['apps/t1/a1.yaml']).toBe('changed\n')
  process.stdout.write(
    `one-file commit of 5,000: ${Math.round(elapsedMs)} ms from hint to message, ` +
      `${after.sentBytes - before.sentBytes} bytes from Git (first fetch ${before.sentBytes}), ${sent} bytes on the bus\n`,
  )
})

test('whatever a commit does, the artifact holds the files of that commit', async () => {
  const repo = await setup.git.create('changing')
  const large = `${crypto.randomUUID()}\n`.repeat(50)
  const expected: Record<string, string> = {}
  const commits: Record<string, FileChange>[] = [
    { 'a.yaml': 'a: 1\n', 'dir/b.yaml': 'b: 1\n', 'dir/c.yaml': 'c: 1\n', 'deep/er/d.yaml': 'd: 1\n' },
    { 'a.yaml': 'a: 2\n' },
    { 'a.yaml': { executable: 'a: 2\n' } },
    { 'dir/b.yaml': null, 'moved/b.yaml': 'b: 1\n' },
    { 'dir/c.yaml': null, dir: 'now a file\n' },
    { dir: null, 'dir/c.yaml': 'c: 1\n', 'dir/deep/e.yaml': 'e: 1\n' },
    { 'deep/er/d.yaml': null, deep: { symlink: 'dir' } },
    { deep: null, 'a.yaml': 'a: 1\n' },
    { '.sourceignore': '*.md\n', 'dir/README.md': 'ignored\n', 'dir/f.yaml': 'f: 1\n' },
    { 'dir/OTHER.md': 'ignored, too\n', 'dir/f.yaml': 'f: 2\n' },
    { 'dir/README.md': null, 'dir/f.yaml': null },
    { '.sourceignore': null },
    Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`many/${n}.yaml`, `${n}: ${large}${n}`])),
    { 'many/7.yaml': 'small\n', 'many/8.yaml': null },
  ]
  const ignored = () => ('.sourceignore' in expected ? '.md' : 'nothing')
  for (const [index, changes] of commits.entries()) {
    const sha = await repo.commit(changes)
    if (index === 0) await setup.create('changing', { url: repo.url })
    else setup.hint('changing')
    for (const [path, change] of Object.entries(changes)) {
      if (change === null) delete expected[path]
      else expected[path] = typeof change === 'string' ? change : Object.values(change)[0]
    }
    await setup.untilCommit('changing', sha)
    const visible = Object.entries(expected).filter(([path]) => !path.endsWith(ignored()))
    expect(await setup.files('changing')).toEqual(Object.fromEntries(visible))
  }
})

test('a branch that has not moved costs one request and no write', async () => {
  const repo = await setup.git.create('quiet')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.create('quiet', { url: repo.url })
  await setup.untilReady('quiet', 'True')
  const { metadata } = await setup.get('quiet')
  const before = setup.traffic('quiet')
  setup.hint('quiet')
  await waitFor('it has looked', () => setup.traffic('quiet').requests > before.requests)
  setup.hint('quiet')
  await waitFor('it has looked again', () => setup.traffic('quiet').requests > before.requests + 1)
  expect(setup.traffic('quiet').fetches).toBe(before.fetches)
  expect((await setup.get('quiet')).metadata.resourceVersion).toBe(metadata.resourceVersion)
})

test('it polls at its interval', async () => {
  const repo = await setup.git.create('polled')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.create('polled', { url: repo.url, interval: '1s' })
  await setup.untilReady('polled', 'True')
  const sha = await repo.commit({ 'a.yaml': 'a: 2\n' })
  await setup.untilCommit('polled', sha)
})

test('a requested reconciliation is acknowledged, and a suspended repository only acknowledges', async () => {
  const repo = await setup.git.create('asked')
  const first = await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.create('asked', { url: repo.url })
  await setup.untilReady('asked', 'True')
  await setup.patchSpec('asked', { suspend: true })
  const second = await repo.commit({ 'a.yaml': 'a: 2\n' })
  const suspended = await setup.request('asked')
  expect(suspended.status).toMatchObject({
    observedGeneration: 2,
    artifact: { revision: `main@sha1:${first}` },
  })
  await setup.patchSpec('asked', { suspend: false })
  await setup.untilCommit('asked', second)
})

test('spec.ignore changes the digest and not the revision', async () => {
  const repo = await setup.git.create('ignored')
  await repo.commit({ 'a.yaml': 'a: 1\n', 'docs/b.txt': 'b\n', '.sourceignore': '*.md\n', 'c.md': 'c\n' })
  await setup.create('ignored', { url: repo.url })
  const before = await setup.untilReady('ignored', 'True')
  expect(Object.keys(await setup.files('ignored'))).toEqual(['.sourceignore', 'a.yaml', 'docs/b.txt'])
  await setup.patchSpec('ignored', { ignore: 'docs/\n' })
  const after = await setup.until(
    'ignored',
    'has observed the patterns',
    ({ status }) => status?.observedIgnore === 'docs/\n',
  )
  expect(Object.keys(await setup.files('ignored'))).toEqual(['.sourceignore', 'a.yaml'])
  expect(after.status?.artifact?.revision).toBe(before.status?.artifact?.revision)
  expect(after.status?.artifact?.digest).not.toBe(before.status?.artifact?.digest)
  await setup.patchSpec('ignored', { ignore: null })
  await setup.until('ignored', 'has forgotten them', ({ status }) => status?.observedIgnore === undefined)
})

test('tag, semver, name and commit are followed', async () => {
  const repo = await setup.git.create('refs')
  const old = await repo.commit({ 'a.yaml': 'a: 1\n' })
  await repo.tag('v1.0.0', { message: 'one' })
  const middle = await repo.commit({ 'a.yaml': 'a: 2\n' })
  await repo.tag('1.1.0')
  await repo.commit({ 'a.yaml': 'a: 3\n' })
  await setup.create('refs', { url: repo.url, ref: { tag: 'v1.0.0' } })
  const revision = async (expected: string) => {
    const found = await setup.until(
      'refs',
      `is at ${expected}`,
      ({ status }) => status?.artifact?.revision === expected,
    )
    expect(conditionOf(found, 'Ready')?.status).toBe('True')
  }
  await revision(`v1.0.0@sha1:${old}`)
  await setup.patchSpec('refs', { ref: { tag: null, semver: '>=1.0.0 <2.0.0' } })
  await revision(`1.1.0@sha1:${middle}`)
  await setup.patchSpec('refs', { ref: { semver: null, name: 'refs/tags/v1.0.0' } })
  await revision(`refs/tags/v1.0.0@sha1:${old}`)
  await setup.patchSpec('refs', { ref: { name: null, commit: middle } })
  await revision(`sha1:${middle}`)
  expect((await setup.files('refs'))['a.yaml']).toBe('a: 2\n')
})

test('a commit that no reference points to is found in the history', async () => {
  const repo = await setup.git.create('pinned')
  const old = await repo.commit({ 'a.yaml': 'a: 1\n' })
  await repo.commit({ 'a.yaml': 'a: 2\n' })
  await setup.create('pinned', { url: repo.url, ref: { branch: 'main', commit: old } })
  await setup.until('pinned', 'is there', ({ status }) => status?.artifact?.revision === `main@sha1:${old}`)
})

test('basic auth from a Secret', async () => {
  const { startGitServer } = await import('@setpoint/testkit')
  await using guarded = await startGitServer({ tls: true, basic: { username: 'robot', password: 'right' } })
  const repo = await guarded.create('private')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.createSecret('robot', { username: 'robot', password: 'right', 'ca.crt': guarded.caPem ?? '' })
  await setup.create('private', { url: repo.url, secretRef: { name: 'robot' } })
  await setup.untilReady('private', 'True')
})

test('an archive that is missing is made again on demand; a damaged one at the next look', async () => {
  const repo = await setup.git.create('archived')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.create('archived', { url: repo.url })
  const { status } = await setup.untilReady('archived', 'True')
  const { path = '', url = '', digest } = status?.artifact ?? {}
  const file = join(setup.service.storage, 'archives', path)
  await rm(file)
  const archive = await archiveOf(url)
  expect(`sha256:${createHash('sha256').update(archive).digest('hex')}`).toBe(digest)
  await writeFile(file, 'rubbish')
  await setup.request('archived')
  expect(await archiveOf(url)).toEqual(archive)
  await waitFor('an event', async () =>
    (await setup.events('archived')).some(({ reason }) => reason === 'ArtifactVerificationFailed'),
  )
  expect((await fetch(`${setup.service.archives}/gitrepository/../../etc/passwd.tar.gz`)).status).toBe(404)
})

test('a deleted repository takes its archive and its bytes on the bus with it', async () => {
  const repo = await setup.git.create('deleted')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.create('deleted', { url: repo.url })
  const { metadata, status } = await setup.untilReady('deleted', 'True')
  await setup.kube.delete(GIT_REPOSITORY, { namespace: setup.namespace, name: 'deleted' })
  await waitFor('it is gone', async () => {
    const key = { namespace: setup.namespace, name: 'deleted' }
    return (await setup.kube.get(GIT_REPOSITORY, key)) === undefined
  })
  expect(await setup.message('deleted')).toMatchObject({ revision: '', name: 'deleted' })
  expect((await fetch(status?.artifact?.url ?? '')).status).toBe(404)
  const stored = await setup.bus.bytes.names('setpoint-artifact')
  expect(stored.filter((name) => name.includes(metadata.uid ?? ''))).toEqual([])
})

test('a delta that has grown large gives its contents to packs, and travels in the message as before', async () => {
  const repo = await setup.git.create('growing')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.create('growing', { url: repo.url })
  await setup.untilReady('growing', 'True')
  const first = (await setup.message('growing'))?.tree?.snapshot
  const noise = () => Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString('base64')
  const second = await repo.commit({ 'b.yaml': noise(), 'c.yaml': noise() })
  setup.hint('growing')
  await setup.untilCommit('growing', second)
  const large = (await setup.message('growing'))?.tree
  expect(large?.snapshot).toEqual(first)
  expect(large?.delta?.size).toBeLessThan(1_000)
  const third = await repo.commit({ 'a.yaml': 'a: 2\n' })
  setup.hint('growing')
  await setup.untilCommit('growing', third)
  expect((await setup.message('growing'))?.tree?.delta?.size).toBeLessThan(1_000)
  expect(Object.keys(await setup.files('growing'))).toEqual(['a.yaml', 'b.yaml', 'c.yaml'])
})
