import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type GitRepo,
  type GitServer,
  git,
  startGitServer,
  startSshServer,
  temporaryDirectory,
} from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listRemote } from './list-remote.ts'
import { openMirror } from './mirror.ts'
import { push } from './push.ts'
import { resolveReference } from './resolve-reference.ts'
import { writeCommit } from './write-commit.ts'

const stack = new AsyncDisposableStack()
const author = { name: 'Setpoint', email: 'setpoint@example.com' }
let server: GitServer
let count = 0

beforeAll(async () => {
  server = stack.use(await startGitServer())
})
afterAll(() => stack.disposeAsync())

/** A repository with three files, our copy of it, and how to change one file. */
async function setup() {
  count += 1
  const repo = await server.create(`repo-${count}`)
  await repo.commit({ 'a/b/c.yaml': 'one\n', 'a/run.sh': { executable: 'x' }, 'top.yaml': 'top\n' })
  const remote = { url: repo.url, timeoutMs: 20_000 }
  const mirror = await openMirror(stack.use(await temporaryDirectory('push')).path, { url: repo.url })
  const fetch = async () => {
    const resolved = resolveReference(await listRemote(remote), { branch: 'main' })
    return (await mirror.fetch(remote, resolved)).commit
  }
  const change = async (content: string, parent: string) =>
    writeCommit(mirror.dir, {
      parent,
      author,
      timeMs: 1_700_000_000_000,
      message: 'Change\n\nmore',
      changes: new Map([['a/b/c.yaml', Buffer.from(content)]]),
    })
  return { repo, remote, mirror, fetch, change }
}

const show = (repo: GitRepo, what: string) => git(['show', what], { cwd: repo.dir })

describe('a commit that is written and pushed', () => {
  it('changes the one file, keeps the others with their modes, and is sound for git', async () => {
    const { repo, remote, fetch, change } = await setup()
    const head = await fetch()
    const { oid, pack } = await change('two\n', head)
    await push(remote, { ref: 'refs/heads/main', from: head, to: oid, pack })
    expect(await repo.head()).toBe(oid)
    expect(await show(repo, 'main:a/b/c.yaml')).toBe('two')
    expect(await git(['diff', '--name-only', head, oid], { cwd: repo.dir })).toBe('a/b/c.yaml')
    expect(await git(['log', '-1', '--format=%an <%ae> %B', 'main'], { cwd: repo.dir })).toContain(
      'Setpoint <setpoint@example.com> Change\n\nmore',
    )
    await git(['fsck', '--strict'], { cwd: repo.dir })
  })

  it('makes a branch that does not exist', async () => {
    const { repo, remote, fetch, change } = await setup()
    const head = await fetch()
    const { oid, pack } = await change('two\n', head)
    await push(remote, { ref: 'refs/heads/updates', from: undefined, to: oid, pack })
    expect(await repo.head('updates')).toBe(oid)
    expect(await repo.head()).toBe(head)
  })

  it('goes on a later head after another fetch', async () => {
    const { repo, remote, fetch, change } = await setup()
    const head = await fetch()
    const first = await change('two\n', head)
    await push(remote, { ref: 'refs/heads/main', from: head, to: first.oid, pack: first.pack })
    await repo.commit({ 'top.yaml': 'by a person\n' })
    const next = await fetch()
    const second = await change('three\n', next)
    await push(remote, { ref: 'refs/heads/main', from: next, to: second.oid, pack: second.pack })
    expect(await show(repo, 'main:top.yaml')).toBe('by a person')
    expect(await show(repo, 'main:a/b/c.yaml')).toBe('three')
  })
})

describe('a push is not done', () => {
  it('when somebody else was faster, and their commit stays', async () => {
    const { repo, remote, fetch, change } = await setup()
    const head = await fetch()
    const { oid, pack } = await change('two\n', head)
    const theirs = await repo.commit({ 'top.yaml': 'theirs\n' })
    const pushed = push(remote, { ref: 'refs/heads/main', from: head, to: oid, pack })
    await expect(pushed).rejects.toMatchObject({ code: 'StaleReference' })
    expect(await repo.head()).toBe(theirs)
  })

  it('when the branch was deleted meanwhile', async () => {
    const { repo, remote, fetch, change } = await setup()
    const head = await fetch()
    const { oid, pack } = await change('two\n', head)
    await repo.deleteRef('refs/heads/main')
    const pushed = push(remote, { ref: 'refs/heads/main', from: head, to: oid, pack })
    await expect(pushed).rejects.toMatchObject({ code: 'StaleReference' })
  })

  it('when a hook says no, and its words are shown', async () => {
    const { repo, remote, fetch, change } = await setup()
    const hook = join(repo.dir, 'hooks/pre-receive')
    await writeFile(hook, '#!/bin/sh\necho "main is protected: open a pull request" >&2\nexit 1\n')
    await chmod(hook, 0o755)
    const head = await fetch()
    const { oid, pack } = await change('two\n', head)
    await expect(push(remote, { ref: 'refs/heads/main', from: head, to: oid, pack })).rejects.toMatchObject({
      code: 'PushRejected',
      message: expect.stringContaining('main is protected: open a pull request'),
    })
  })

  it('when the server lets nobody write', async () => {
    const { repo, remote, fetch, change } = await setup()
    await git(['config', 'http.receivepack', 'false'], { cwd: repo.dir })
    const head = await fetch()
    const { oid, pack } = await change('two\n', head)
    const pushed = push(remote, { ref: 'refs/heads/main', from: head, to: oid, pack })
    await expect(pushed).rejects.toMatchObject({ code: 'AuthenticationFailed' })
  })
})

it('push options reach the server', async () => {
  const { repo, remote, fetch, change } = await setup()
  await git(['config', 'receive.advertisePushOptions', 'true'], { cwd: repo.dir })
  const hook = join(repo.dir, 'hooks/pre-receive')
  await writeFile(hook, '#!/bin/sh\necho "$GIT_PUSH_OPTION_0" > options\n')
  await chmod(hook, 0o755)
  const head = await fetch()
  const { oid, pack } = await change('two\n', head)
  const options = { 'merge_request.create': '' }
  await push(remote, { ref: 'refs/heads/main', from: head, to: oid, pack, options })
  expect(await git(['show', `${oid}:a/b/c.yaml`], { cwd: repo.dir })).toBe('two')
})

it('over SSH a commit is pushed, and a stale one is not', async () => {
  await using ssh = await startSshServer()
  const repo = await ssh.create('fleet')
  const first = await repo.commit({ 'a.yaml': 'one\n' })
  const credentials = { identity: await ssh.createKey(), knownHosts: await ssh.knownHosts() }
  const remote = { url: repo.url, timeoutMs: 20_000, ssh: credentials }
  await using home = await temporaryDirectory('push')
  const mirror = await openMirror(join(home.path, 'm'), { url: repo.url })
  await mirror.fetch(remote, resolveReference(await listRemote(remote), { branch: 'main' }))
  const changes = new Map([['a.yaml', Buffer.from('two\n')]])
  const commit = { parent: first, author, timeMs: 0, message: 'Change', changes }
  const { oid, pack } = await writeCommit(mirror.dir, commit)
  await push(remote, { ref: 'refs/heads/main', from: first, to: oid, pack })
  expect(await repo.head()).toBe(oid)
  const again = push(remote, { ref: 'refs/heads/main', from: first, to: oid, pack })
  await expect(again).rejects.toMatchObject({ code: 'StaleReference' })
})
