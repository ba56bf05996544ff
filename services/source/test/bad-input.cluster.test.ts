import { GIT_REPOSITORY } from '@setpoint/contracts'
import { git, startGitServer, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, readyMessage, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup[Symbol.asyncDispose]())

async function readyRepository(name: string) {
  const repo = await setup.git.create(name)
  const sha = await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.create(name, { url: repo.url, interval: '1s' })
  return { repo, sha, ready: await setup.untilReady(name, 'True') }
}

test('a repository that cannot be reached: a clear condition, and Ready once it is back', async () => {
  await using server = await startGitServer()
  const repo = await server.create('away')
  const sha = await repo.commit({ 'a.yaml': 'a: 1\n' })
  server.setOffline(true)
  await setup.create('away', { url: repo.url, interval: '1s' })
  const failed = await setup.untilReady('away', 'False', 'GitOperationFailed')
  expect(readyMessage(failed)).toContain(`${new URL(repo.url).host} cannot be reached`)
  expect(conditionOf(failed, 'FetchFailed')).toMatchObject({ status: 'True', reason: 'GitOperationFailed' })
  expect(conditionOf(failed, 'Reconciling')).toMatchObject({ status: 'True', reason: 'ProgressingWithRetry' })
  expect(failed.status?.observedGeneration).toBe(-1)
  server.setOffline(false)
  const ready = await setup.untilCommit('away', sha)
  expect(ready.status?.conditions?.map(({ type }) => type)).toEqual(['Ready', 'ArtifactInStorage'])
  await waitFor('an event of the recovery or the artifact', async () =>
    (await setup.events('away')).some(({ type }) => type === 'Normal'),
  )
})

test('a repository that goes away keeps its artifact', async () => {
  await using server = await startGitServer()
  const repo = await server.create('kept')
  const sha = await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.create('kept', { url: repo.url, interval: '1s' })
  await setup.untilReady('kept', 'True')
  server.setOffline(true)
  const failed = await setup.untilReady('kept', 'False', 'GitOperationFailed')
  expect(failed.status?.artifact?.revision).toBe(`main@sha1:${sha}`)
  expect(conditionOf(failed, 'ArtifactInStorage')?.status).toBe('True')
  expect((await setup.message('kept'))?.revision).toBe(`main@sha1:${sha}`)
  expect((await fetch(failed.status?.artifact?.url ?? '')).status).toBe(200)
})

test('wrong credentials: AuthenticationFailed, and no word of the password anywhere', async () => {
  await using guarded = await startGitServer({ basic: { username: 'robot', password: 'right' } })
  const repo = await guarded.create('locked')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.createSecret('wrong', { username: 'robot', password: 'hunter2-wrong' })
  await setup.create('locked', { url: repo.url, secretRef: { name: 'wrong' } })
  const failed = await setup.untilReady('locked', 'False', 'AuthenticationFailed')
  await waitFor('an event', async () => (await setup.events('locked')).some(({ type }) => type === 'Warning'))
  const told = JSON.stringify([failed.status, await setup.events('locked'), setup.service.child.logs()])
  expect(told).not.toContain('hunter2-wrong')
  expect(told).not.toContain(Buffer.from('robot:hunter2-wrong').toString('base64'))
})

test.each([
  ['a missing Secret', 'nosecret', undefined, 'does not exist'],
  ['a password without a username', 'nouser', { password: 'x' }, 'no username'],
  [
    'basic and bearer at once',
    'both',
    { username: 'a', password: 'b', bearerToken: 'c' },
    'give one of them',
  ],
])('%s: AuthenticationFailed says so', async (_situation, name, data, message) => {
  const repo = await setup.git.create(name)
  if (data !== undefined) await setup.createSecret(name, data)
  await setup.create(name, { url: repo.url, secretRef: { name } })
  const failed = await setup.untilReady(name, 'False', 'AuthenticationFailed')
  expect(readyMessage(failed)).toContain(message)
})

test('an unknown branch is named', async () => {
  const repo = await setup.git.create('nobranch')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.create('nobranch', { url: repo.url, ref: { branch: 'missing' } })
  const failed = await setup.untilReady('nobranch', 'False', 'GitOperationFailed')
  expect(readyMessage(failed)).toContain('no branch "missing"')
})

test('a repository that does not exist, and an address that is no Git server', async () => {
  await setup.create('nowhere', { url: `${setup.git.url}/nowhere.git` })
  expect(readyMessage(await setup.untilReady('nowhere', 'False', 'GitOperationFailed'))).toContain(
    'no such repository',
  )
  await setup.create('nogit', { url: setup.service.url })
  expect(readyMessage(await setup.untilReady('nogit', 'False', 'GitOperationFailed'))).toContain('HTTP 404')
})

test('a ref that disappears: the artifact stays, and the ref may come back', async () => {
  const { repo, sha } = await readyRepository('vanishing')
  await repo.deleteRef('refs/heads/main')
  await repo.commit({ 'b.yaml': 'b: 1\n' }, { branch: 'other' })
  const failed = await setup.untilReady('vanishing', 'False', 'GitOperationFailed')
  expect(readyMessage(failed)).toContain('no branch "main"')
  expect(failed.status?.artifact?.revision).toBe(`main@sha1:${sha}`)
  expect(await setup.files('vanishing')).toEqual({ 'a.yaml': 'a: 1\n' })
  const back = await repo.commit({ 'c.yaml': 'c: 1\n' })
  await setup.untilCommit('vanishing', back)
  expect(await setup.files('vanishing')).toEqual({ 'c.yaml': 'c: 1\n' })
})

test('an empty repository: EmptyGitRepository, and Ready with its first commit', async () => {
  const repo = await setup.git.create('empty')
  await setup.create('empty', { url: repo.url, interval: '1s' })
  await setup.untilReady('empty', 'False', 'EmptyGitRepository')
  const sha = await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.untilCommit('empty', sha)
})

test('symlinks that leave the repository are no more than links, and not in the archive', async () => {
  const repo = await setup.git.create('links')
  await repo.commit({
    'a.yaml': 'a: 1\n',
    passwd: { symlink: '/etc/passwd' },
    'up/above': { symlink: '../../../../etc/passwd' },
  })
  await setup.create('links', { url: repo.url })
  const { status } = await setup.untilReady('links', 'True')
  expect(await setup.files('links')).toMatchObject({
    passwd: '/etc/passwd',
    'up/above': '../../../../etc/passwd',
  })
  const { gunzipSync } = await import('node:zlib')
  const archive = Buffer.from(await (await fetch(status?.artifact?.url ?? '')).arrayBuffer())
  const text = gunzipSync(archive).toString('latin1')
  expect(text).toContain('a.yaml')
  expect(text).not.toContain('passwd')
})

test('an unusable URL stalls, and a better one ends it', async () => {
  await setup.create('badurl', { url: 'http://[broken' })
  const stalled = await setup.untilReady('badurl', 'False', 'URLInvalid')
  expect(conditionOf(stalled, 'Stalled')?.status).toBe('True')
  const repo = await setup.git.create('goodurl')
  const sha = await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.patchSpec('badurl', { url: repo.url })
  const ready = await setup.untilCommit('badurl', sha)
  expect(conditionOf(ready, 'Stalled')).toBeUndefined()
})

test('another URL: the artifact of the new one, without a trace of the old', async () => {
  const { repo } = await readyRepository('moving')
  expect(repo.url).toContain('moving')
  const other = await setup.git.create('moved')
  const sha = await other.commit({ 'z.yaml': 'z: 1\n' })
  await setup.patchSpec('moving', { url: other.url })
  await setup.untilCommit('moving', sha)
  expect(await setup.files('moving')).toEqual({ 'z.yaml': 'z: 1\n' })
})

test('a repository of 60 MB goes through', { timeout: 240_000 }, async () => {
  const repo = await setup.git.create('huge')
  // Random bytes cannot be packed smaller: git need not try for a minute.
  for (const setting of ['core.compression=0', 'core.bigFileThreshold=1m', 'pack.window=0'])
    await git(['config', ...setting.split('=')], { cwd: repo.dir })
  const noise = () =>
    Buffer.concat(Array.from({ length: 32 }, () => crypto.getRandomValues(new Uint8Array(65_536))))
  await repo.commit(Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`data/${n}.bin`, noise()])))
  const startedAt = performance.now()
  await setup.create('huge', { url: repo.url, timeout: '2m' })
  const ready = await setup.until('huge', 'has an artifact', ({ status }) => status?.artifact !== undefined, {
    timeoutMs: 150_000,
  })
  expect(ready.status?.artifact?.size).toBeGreaterThan(60_000_000)
  process.stdout.write(`60 MB repository: Ready after ${Math.round(performance.now() - startedAt)} ms\n`)
  await setup.kube.delete(GIT_REPOSITORY, { namespace: setup.namespace, name: 'huge' })
})
