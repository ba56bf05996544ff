import { randomBytes } from 'node:crypto'
import { readdir, truncate } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { type GitRepo, type GitServer, git, startGitServer, temporaryDirectory } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GitError } from './errors.ts'
import { listRemote } from './list-remote.ts'
import { openMirror } from './mirror.ts'
import type { RemoteOptions } from './remote-options.ts'
import { type ReferenceSelector, resolveReference } from './resolve-reference.ts'

let server: GitServer
beforeAll(async () => {
  server = await startGitServer()
})
afterAll(() => server[Symbol.asyncDispose]())

const remoteOf = (url: string, more: Partial<RemoteOptions> = {}): RemoteOptions => ({
  url,
  timeoutMs: 10_000,
  ...more,
})

async function main(repo: GitRepo) {
  const remote = remoteOf(repo.url)
  return { remote, resolved: resolveReference(await listRemote(remote), { branch: 'main' }) }
}

async function failure(action: Promise<unknown>): Promise<GitError> {
  const error = await action.then(
    () => new Error('it did not fail'),
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(GitError)
  return error as GitError
}

function manyFiles(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, n) => [
      `apps/team-${n % 20}/app-${n}.yaml`,
      `name: app-${n}\n${'x'.repeat(n % 97)}\n${crypto.randomUUID()}\n`,
    ]),
  )
}

describe('fetching', () => {
  test('the first fetch takes one commit, a later one only what is new', async () => {
    const repo = await server.create('incremental')
    await repo.commit(manyFiles(2_000))
    await using home = await temporaryDirectory('mirror')
    const mirror = await openMirror(join(home.path, 'm'), { url: repo.url })
    const first = await main(repo)
    const full = await mirror.fetch(first.remote, first.resolved)
    expect(full.full).toBe(true)
    expect(await mirror.readTree(full.commit)).toHaveLength(2_000)

    const sha = await repo.commit({ 'apps/team-1/app-1.yaml': 'changed\n' })
    const second = await main(repo)
    const news = await mirror.fetch(second.remote, second.resolved)
    expect(news).toMatchObject({ commit: sha, full: false })
    expect(news.receivedBytes).toBeLessThan(8_000)
    expect(full.receivedBytes).toBeGreaterThan(10 * news.receivedBytes)
    const entry = (await mirror.readTree(sha)).find(({ path }) => path === 'apps/team-1/app-1.yaml')
    expect(Buffer.from(await mirror.readBlob(entry?.oid ?? '')).toString()).toBe('changed\n')
  })

  test('of a large file that changes a little, little comes, and the copy stays sound for git', async () => {
    const repo = await server.create('thin')
    const lines = Array.from({ length: 10_000 }, (): string => crypto.randomUUID())
    await repo.commit({ 'large.yaml': lines.join('\n') })
    await using home = await temporaryDirectory('mirror')
    const mirror = await openMirror(join(home.path, 'm'), { url: repo.url })
    const first = await main(repo)
    await mirror.fetch(first.remote, first.resolved)
    const changed = lines.with(5_000, 'changed').join('\n')
    await repo.commit({ 'large.yaml': changed })
    const second = await main(repo)
    const { commit, receivedBytes } = await mirror.fetch(second.remote, second.resolved)
    expect(receivedBytes).toBeLessThan(4_000)
    const [entry] = await mirror.readTree(commit)
    expect(Buffer.from(await mirror.readBlob(entry?.oid ?? '')).toString()).toBe(changed)
    await git(['fsck', '--full', commit], { cwd: mirror.dir })
  })

  test('a copy opened again goes on from where it was', async () => {
    const repo = await server.create('reopened')
    await repo.commit(manyFiles(200))
    await using home = await temporaryDirectory('mirror')
    const dir = join(home.path, 'm')
    const before = await main(repo)
    await (await openMirror(dir, { url: repo.url })).fetch(before.remote, before.resolved)
    await repo.commit({ 'new.yaml': 'a: 1\n' })
    const after = await main(repo)
    const again = await openMirror(dir, { url: repo.url })
    expect(await again.has(before.resolved.commit)).toBe(true)
    expect(await again.fetch(after.remote, after.resolved)).toMatchObject({ full: false })
  })

  test('what a listing heard is not asked for again, unless that commit is gone meanwhile', async () => {
    const repo = await server.create('heard')
    await git(['config', 'uploadpack.allowAnySHA1InWant', 'false'], { cwd: repo.dir })
    await repo.commit({ 'a.yaml': '1' })
    await using home = await temporaryDirectory('mirror')
    const mirror = await openMirror(join(home.path, 'm'), { url: repo.url })
    const asked = () => server.requests.filter(({ path }) => path.startsWith('/heard.git/info/refs')).length
    const fetchHeard = async (meanwhile: () => Promise<unknown>) => {
      const refs = await listRemote(remoteOf(repo.url))
      await meanwhile()
      const before = asked()
      const { advertisement } = refs
      const resolved = resolveReference(refs, { branch: 'main' })
      const { commit } = await mirror.fetch(remoteOf(repo.url), resolved, { advertisement })
      return { commit, asked: asked() - before }
    }
    expect(await fetchHeard(async () => undefined)).toEqual({ commit: await repo.head(), asked: 0 })
    await repo.commit({ 'a.yaml': '2' })
    const rewrite = async () => {
      await repo.deleteRef('refs/heads/main')
      await repo.commit({ 'b.yaml': '3' })
    }
    expect(await fetchHeard(rewrite)).toEqual({ commit: await repo.head(), asked: 1 })
  })

  test('a repository that has moved is fetched from where it is', async () => {
    const repo = await server.create('moved')
    const sha = await repo.commit({ 'a.yaml': '1' })
    const old = createServer(({ method, url }, response) => {
      const location = `${repo.url}${url?.replace('/old.git', '')}`
      response.writeHead(method === 'GET' ? 301 : 404, { location }).end()
    })
    const url = `${await listen(old)}/old.git`
    await using home = await temporaryDirectory('mirror')
    const mirror = await openMirror(join(home.path, 'm'), { url })
    const { advertisement, ...refs } = await listRemote(remoteOf(url))
    const resolved = resolveReference(refs, { branch: 'main' })
    expect(await mirror.fetch(remoteOf(url), resolved, { advertisement })).toMatchObject({ commit: sha })
    old.closeAllConnections()
    old.close()
  })

  test('another branch or an older tag comes without its history, and without what the last commit has too', async () => {
    const repo = await server.create('history')
    const noise = () => randomBytes(20_000).toString('hex')
    await repo.commit(Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`same-${n}`, noise()])))
    for (let n = 1; n <= 16; n += 1) await repo.commit({ 'a.txt': noise() })
    await repo.tag('old', { at: 'main~8' })
    await git(['branch', 'side', 'main~10'], { cwd: repo.dir })
    const side = await repo.commit({ 'b.txt': noise() }, { branch: 'side' })
    await using home = await temporaryDirectory('mirror')
    const mirror = await openMirror(join(home.path, 'm'), { url: repo.url })
    const fetched = async (selector: ReferenceSelector) => {
      const resolved = resolveReference(await listRemote(remoteOf(repo.url)), selector)
      const result = await mirror.fetch(remoteOf(repo.url), resolved)
      for (const { oid } of await mirror.readTree(result.commit)) await mirror.readBlob(oid)
      return result
    }
    await fetched({ branch: 'main' })
    for (const selector of [{ tag: 'old' }, { branch: 'side' }]) {
      const { full, receivedBytes } = await fetched(selector)
      expect(full).toBe(false)
      expect(receivedBytes).toBeLessThan(60_000)
    }
    const next = await repo.commit({ 'b.txt': 'small' }, { branch: 'side' })
    const news = await fetched({ branch: 'side' })
    expect(news.receivedBytes).toBeLessThan(5_000)
    expect((await mirror.readCommit(next)).parents).toEqual([side])
    expect(await git(['fsck', '--full'], { cwd: mirror.dir })).not.toMatch(/missing|broken|error/)
  })

  test('a rewritten history is followed', async () => {
    const repo = await server.create('rewritten')
    await repo.commit({ 'a.yaml': 'a: 1\n' })
    await using home = await temporaryDirectory('mirror')
    const mirror = await openMirror(join(home.path, 'm'), { url: repo.url })
    const before = await main(repo)
    await mirror.fetch(before.remote, before.resolved)
    await repo.deleteRef('refs/heads/main')
    const sha = await repo.commit({ 'b.yaml': 'b: 1\n' })
    const after = await main(repo)
    expect(await mirror.fetch(after.remote, after.resolved)).toMatchObject({ commit: sha })
    expect((await mirror.readTree(sha)).map(({ path }) => path)).toEqual(['b.yaml'])
  })

  test('the number of packs stays bounded', async () => {
    const repo = await server.create('packs')
    await repo.commit({ 'a.yaml': 'a: 0\n' })
    await using home = await temporaryDirectory('mirror')
    const mirror = await openMirror(join(home.path, 'm'), { url: repo.url, maxPacks: 3 })
    const kinds: boolean[] = []
    for (let n = 1; n <= 6; n += 1) {
      await repo.commit({ 'a.yaml': `a: ${n}\n` })
      const { remote, resolved } = await main(repo)
      kinds.push((await mirror.fetch(remote, resolved)).full)
      expect(await mirror.packCount()).toBeLessThanOrEqual(3)
    }
    expect(kinds).toEqual([true, false, false, true, false, false])
  })

  test('an annotated tag leads to its commit, and a commit is found that is no tip', async () => {
    const repo = await server.create('tagged')
    const old = await repo.commit({ 'a.yaml': 'a: 1\n' })
    await repo.tag('v1.0.0', { message: 'first' })
    await repo.commit({ 'a.yaml': 'a: 2\n' })
    await using home = await temporaryDirectory('mirror')
    const mirror = await openMirror(join(home.path, 'm'), { url: repo.url })
    const remote = remoteOf(repo.url)
    const refs = await listRemote(remote)
    expect(await mirror.fetch(remote, resolveReference(refs, { tag: 'v1.0.0' }))).toMatchObject({
      commit: old,
    })
    await mirror.reset()
    const resolved = resolveReference(refs, { commit: old, branch: 'main' })
    await mirror.fetch(remote, resolved, { fullHistory: true })
    expect(await mirror.has(old)).toBe(true)
  })

  test('a damaged pack is noticed, and after a reset everything is fetched again', async () => {
    const repo = await server.create('damaged')
    await repo.commit(manyFiles(50))
    await using home = await temporaryDirectory('mirror')
    const dir = join(home.path, 'm')
    const { remote, resolved } = await main(repo)
    const { commit } = await (await openMirror(dir, { url: repo.url })).fetch(remote, resolved)
    const packs = join(dir, 'objects', 'pack')
    for (const file of await readdir(packs)) await truncate(join(packs, file), 100)
    const mirror = await openMirror(dir, { url: repo.url })
    expect((await failure(mirror.readTree(commit))).code).toBe('Damaged')
    await mirror.reset()
    expect((await mirror.fetch(remote, resolved)).full).toBe(true)
    expect(await mirror.readTree(commit)).toHaveLength(50)
  })

  test('symlinks and executables keep their modes', async () => {
    const repo = await server.create('modes')
    const sha = await repo.commit({
      link: { symlink: '../../etc/passwd' },
      'run.sh': { executable: 'echo\n' },
    })
    await using home = await temporaryDirectory('mirror')
    const mirror = await openMirror(join(home.path, 'm'), { url: repo.url })
    const { remote, resolved } = await main(repo)
    await mirror.fetch(remote, resolved)
    expect((await mirror.readTree(sha)).map(({ path, mode }) => [path, mode])).toEqual([
      ['link', '120000'],
      ['run.sh', '100755'],
    ])
  })
})

describe('a server that fails', () => {
  test('nobody listens', async () => {
    expect((await failure(listRemote(remoteOf('http://127.0.0.1:1/r.git')))).code).toBe('Unreachable')
  })

  test('wrong and missing credentials are refused, and no message holds them', async () => {
    await using guarded = await startGitServer({ basic: { username: 'robot', password: 'right' } })
    const repo = await guarded.create('secret')
    await repo.commit({ 'a.yaml': 'a: 1\n' })
    const wrong = await failure(
      listRemote(remoteOf(repo.url, { auth: { username: 'robot', password: 'hunter2' } })),
    )
    expect(wrong.code).toBe('AuthenticationFailed')
    expect((await failure(listRemote(remoteOf(repo.url)))).code).toBe('AuthenticationFailed')
    const inUrl = repo.url.replace('http://', 'http://robot:hunter2@')
    const fromUrl = await failure(listRemote(remoteOf(inUrl)))
    expect(`${wrong.message} ${fromUrl.message} ${fromUrl.stack}`).not.toContain('hunter2')
    const right = { username: 'robot', password: 'right' }
    expect((await listRemote(remoteOf(repo.url, { auth: right }))).refs.has('refs/heads/main')).toBe(true)
  })

  test('a bearer token is taken', async () => {
    await using guarded = await startGitServer({ bearerToken: 'token' })
    const repo = await guarded.create('bearer')
    await repo.commit({ 'a.yaml': 'a: 1\n' })
    const auth = { bearerToken: 'token' }
    expect((await listRemote(remoteOf(repo.url, { auth }))).refs.size).toBe(1)
  })

  test('a private authority is trusted only when it is given', async () => {
    await using secure = await startGitServer({ tls: true })
    const repo = await secure.create('tls')
    await repo.commit({ 'a.yaml': 'a: 1\n' })
    expect((await failure(listRemote(remoteOf(repo.url)))).code).toBe('Unreachable')
    const caPem = secure.caPem ?? ''
    expect((await listRemote(remoteOf(repo.url, { caPem }))).refs.size).toBe(1)
  })

  test('no such repository', async () => {
    const error = await failure(listRemote(remoteOf(`${server.url}/nothing.git`)))
    expect(error.code).toBe('RepositoryNotFound')
  })

  test('more bytes than the limit are refused, and the copy stays usable', async () => {
    const repo = await server.create('large')
    await repo.commit(manyFiles(500))
    await using home = await temporaryDirectory('mirror')
    const mirror = await openMirror(join(home.path, 'm'), { url: repo.url })
    const { remote, resolved } = await main(repo)
    expect((await failure(mirror.fetch({ ...remote, maxBytes: 5_000 }, resolved))).code).toBe('TooLarge')
    expect(await mirror.fetch(remote, resolved)).toMatchObject({ full: true })
  })

  test('a server that never answers is given up on in time', async () => {
    const silent = createServer(() => undefined)
    const url = await listen(silent)
    expect((await failure(listRemote(remoteOf(`${url}/r.git`, { timeoutMs: 200 })))).code).toBe('Timeout')
    silent.closeAllConnections()
    silent.close()
  })

  test('a redirect to another host is refused when there are credentials, and followed when there are none', async () => {
    const seen: string[] = []
    const target = createServer((request, response) => {
      seen.push(String(request.headers.authorization))
      response.writeHead(404).end()
    })
    const to = (await listen(target)).replace('127.0.0.1', 'localhost')
    const redirecting = createServer((_request, response) => {
      response.writeHead(302, { location: `${to}/other.git/info/refs?service=git-upload-pack` }).end()
    })
    const from = await listen(redirecting)
    const auth = { username: 'robot', password: 'hunter2' }
    const refused = await failure(listRemote(remoteOf(`${from}/r.git`, { auth })))
    expect(refused.message).toContain('must not get the credentials')
    expect(seen).toEqual([])
    await failure(listRemote(remoteOf(`${from}/r.git`)))
    expect(seen).toEqual(['undefined'])
    target.close()
    redirecting.close()
  })
})

async function listen(http: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const address = http.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}
