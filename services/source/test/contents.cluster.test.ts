import { createHash, randomBytes } from 'node:crypto'
import { GIT_REPOSITORY } from '@setpoint/contracts'
import { git, startGitServer } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { conditionOf, readyMessage, type Setup, startSetup } from './harness.ts'
import { pass, startSpoiledGitServer } from './spoiled-git-server.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup[Symbol.asyncDispose]())

describe('sparseCheckout', () => {
  test('takes the named directories only, and says so', async () => {
    const repo = await setup.git.create('sparse')
    await repo.commit({ 'root.yaml': '1', 'apps/a.yaml': '1', 'apps/deep/b.yaml': '1', 'other/c.yaml': '1' })
    await setup.create('sparse', { url: repo.url, sparseCheckout: ['./apps'] })
    const { status } = await setup.untilReady('sparse', 'True')
    expect(Object.keys(await setup.files('sparse'))).toEqual(['apps/a.yaml', 'apps/deep/b.yaml'])
    expect(status?.observedSparseCheckout).toEqual(['./apps'])
    await setup.patchSpec('sparse', { sparseCheckout: null })
    await setup.until(
      'sparse',
      'is whole again',
      (found) => found.status?.observedSparseCheckout === undefined,
    )
    expect(Object.keys(await setup.files('sparse'))).toHaveLength(4)
  })

  test('downloads files of the named directories only, and others when the spec names them', async () => {
    const repo = await setup.git.create('monorepo')
    const files = Object.fromEntries(
      Array.from({ length: 30 }, (_, n) => [`team-${n}/a.txt`, randomBytes(25_000).toString('hex')]),
    )
    await repo.commit({
      ...files,
      '.sourceignore': '*.md\n',
      'team-1/b.md': 'ignored only with the whole tree',
    })
    await setup.create('monorepo', { url: repo.url, sparseCheckout: ['team-1'] })
    await setup.untilReady('monorepo', 'True')
    expect(Object.keys(await setup.files('monorepo'))).toEqual(['team-1/a.txt', 'team-1/b.md'])
    expect(setup.traffic('monorepo').sentBytes).toBeLessThan(60_000)

    const switchTo = async (sparseCheckout: string[] | null) => {
      await setup.patchSpec('monorepo', { sparseCheckout })
      const wanted = JSON.stringify(sparseCheckout ?? undefined)
      await setup.until(
        'monorepo',
        `takes ${wanted}`,
        ({ status }) => JSON.stringify(status?.observedSparseCheckout) === wanted,
      )
      return setup.files('monorepo')
    }
    expect(Object.keys(await switchTo(['team-1', 'team-2']))).toHaveLength(3)
    expect(setup.traffic('monorepo').sentBytes).toBeLessThan(110_000)
    expect(Object.keys(await switchTo(['team-2']))).toEqual(['team-2/a.txt'])
    expect(await switchTo(null)).toMatchObject(files)
    expect(setup.traffic('monorepo').sentBytes).toBeGreaterThan(750_000)
    expect(await switchTo(['team-3'])).toEqual({ 'team-3/a.txt': files['team-3/a.txt'] })
  })

  test('of a server that knows no filters takes the same files', async () => {
    const repo = await setup.git.create('nofilter')
    await git(['config', 'uploadpack.allowFilter', 'false'], { cwd: repo.dir })
    await repo.commit({ 'apps/a.yaml': '1', 'other/c.yaml': '1' })
    await setup.create('nofilter', { url: repo.url, sparseCheckout: ['apps'] })
    await setup.untilReady('nofilter', 'True')
    expect(await setup.files('nofilter')).toEqual({ 'apps/a.yaml': '1' })
  })

  test('a directory that is not there is named', async () => {
    const repo = await setup.git.create('sparsemissing')
    await repo.commit({ 'apps/a.yaml': '1' })
    await setup.create('sparsemissing', { url: repo.url, sparseCheckout: ['apps', 'missing'] })
    const failed = await setup.untilReady('sparsemissing', 'False', 'GitOperationFailed')
    expect(readyMessage(failed)).toContain('"missing", which is no directory')
  })
})

describe('recurseSubmodules', () => {
  test('takes submodules of submodules, by relative URLs, with the credentials of the same host', async () => {
    const basic = { username: 'robot', password: 'right' }
    await using server = await startGitServer({ basic })
    const [inner, middle, outer] = await Promise.all(
      ['inner', 'middle', 'outer'].map((name) => server.create(name)),
    )
    if (!inner || !middle || !outer) throw new Error('no repositories')
    const innerSha = await inner.commit({ 'i.yaml': 'i: 1\n' })
    // Not the newest one: a submodule is pinned.
    await inner.commit({ 'i.yaml': 'i: 2\n' })
    const middleSha = await middle.commit({
      '.gitmodules': '[submodule "inner"]\n\tpath = lib/inner\n\turl = ../inner.git\n',
      'lib/inner': { submodule: innerSha },
      'm.yaml': 'm: 1\n',
    })
    await outer.commit({
      '.gitmodules': `[submodule "middle"]\n\tpath = middle\n\turl = ${middle.url}\n`,
      middle: { submodule: middleSha },
      'o.yaml': 'o: 1\n',
    })
    await setup.createSecret('robot', basic)
    await setup.create('outer', { url: outer.url, secretRef: { name: 'robot' }, recurseSubmodules: true })
    const { status } = await setup.untilReady('outer', 'True')
    expect(status?.observedRecurseSubmodules).toBe(true)
    expect(await setup.files('outer')).toEqual({
      'middle/lib/inner/i.yaml': 'i: 1\n',
      'middle/m.yaml': 'm: 1\n',
      'o.yaml': 'o: 1\n',
    })
    await setup.kube.delete(GIT_REPOSITORY, { namespace: setup.namespace, name: 'outer' })
  })

  test('credentials do not go to the submodule of another host', async () => {
    await using server = await startGitServer({ basic: { username: 'robot', password: 'right' } })
    const foreign = await setup.git.create('foreign')
    const sha = await foreign.commit({ 'f.yaml': 'f: 1\n' })
    const repo = await server.create('home')
    const elsewhere = foreign.url.replace('127.0.0.1', 'localhost')
    await repo.commit({
      '.gitmodules': `[submodule "f"]\n\tpath = f\n\turl = ${elsewhere}\n`,
      f: { submodule: sha },
    })
    await setup.createSecret('home', { username: 'robot', password: 'right' })
    await setup.create('home', { url: repo.url, secretRef: { name: 'home' }, recurseSubmodules: true })
    await setup.untilReady('home', 'True')
    expect(setup.git.requests.filter(({ path }) => path.startsWith('/foreign.git')).length).toBeGreaterThan(0)
    await setup.kube.delete(GIT_REPOSITORY, { namespace: setup.namespace, name: 'home' })
  })

  test.each([
    ['a local path', 'localsub', '/etc', 'not http, https or ssh'],
    ['a program', 'extsub', 'ext::sh -c whoami', 'not http, https or ssh'],
    ['an address where clouds keep credentials', 'linksub', 'http://169.254.169.254/r.git', 'link-local'],
    [
      'an address with a password',
      'secretsub',
      'http://ada:hunter2-sub@127.0.0.1:1/r.git',
      'submodule http://127',
    ],
  ])('a submodule at %s is refused, and the last artifact stays', async (_what, name, url, message) => {
    const repo = await setup.git.create(name)
    const sha = await repo.commit({ 'a.yaml': '1' })
    await setup.create(name, { url: repo.url, recurseSubmodules: true })
    const good = await setup.untilReady(name, 'True')
    await repo.commit({
      '.gitmodules': `[submodule "x"]\n\tpath = x\n\turl = ${url}\n`,
      x: { submodule: sha },
    })
    setup.hint(name)
    expect(readyMessage(await setup.untilReady(name, 'False', 'GitOperationFailed'))).toContain(message)
    await setup.expectKept(good)
    const told = JSON.stringify([await setup.get(name), await setup.events(name), setup.service.child.logs()])
    expect(told).not.toContain('hunter2-sub')
  })
})

describe('include', () => {
  test('the files of another GitRepository come in, and follow it', async () => {
    const [base, app] = [await setup.git.create('incbase'), await setup.git.create('incapp')]
    await base.commit({ 'deploy/a.yaml': 'a: 1\n', 'README.md': 'x' })
    await app.commit({ 'app.yaml': 'app: 1\n' })
    await setup.create('incapp', {
      url: app.url,
      include: [{ repository: { name: 'incbase' }, fromPath: 'deploy', toPath: 'vendor/base' }],
    })
    const waiting = await setup.untilReady('incapp', 'False', 'NotFound')
    expect(conditionOf(waiting, 'IncludeUnavailable')?.status).toBe('True')
    await setup.create('incbase', { url: base.url })
    const { status } = await setup.untilReady('incapp', 'True')
    expect(await setup.files('incapp')).toEqual({ 'app.yaml': 'app: 1\n', 'vendor/base/a.yaml': 'a: 1\n' })
    expect(status?.includedArtifacts?.[0]?.revision).toBe(
      (await setup.get('incbase')).status?.artifact?.revision,
    )
    expect(status?.observedInclude).toHaveLength(1)
    const sha = await base.commit({ 'deploy/a.yaml': 'a: 2\n' })
    setup.hint('incbase')
    await setup.until('incapp', 'holds the new files', ({ status }) =>
      Boolean(status?.includedArtifacts?.[0]?.revision.endsWith(sha)),
    )
    expect((await setup.files('incapp'))['vendor/base/a.yaml']).toBe('a: 2\n')
  })

  test('a repository that includes itself in the end is refused', async () => {
    const repo = await setup.git.create('cycle')
    await repo.commit({ 'a.yaml': '1' })
    await setup.create('cyclea', { url: repo.url, include: [{ repository: { name: 'cycleb' } }] })
    await setup.create('cycleb', { url: repo.url, include: [{ repository: { name: 'cyclea' } }] })
    expect(readyMessage(await setup.untilReady('cycleb', 'False', 'IncludeUnavailable'))).toContain(
      'back to this',
    )
  })

  test.each([
    ['a path that leaves the artifact', 'incup', { toPath: '../up' }, 'IllegalPath'],
    ['a directory that is not there', 'incnodir', { fromPath: 'nothing' }, 'CopyFailure'],
  ])('%s is refused, and the last artifact stays', async (_what, name, paths, reason) => {
    const repo = await setup.git.create(name)
    await repo.commit({ 'a.yaml': '1' })
    await setup.create(`${name}-base`, { url: repo.url })
    await setup.untilReady(`${name}-base`, 'True')
    await setup.create(name, { url: repo.url })
    const good = await setup.untilReady(name, 'True')
    await setup.patchSpec(name, { include: [{ repository: { name: `${name}-base` }, ...paths }] })
    await setup.untilReady(name, 'False', reason)
    await setup.expectKept(good)
  })
})

describe('Git LFS', () => {
  const file = Buffer.from('large: true\n'.repeat(100))
  const oid = createHash('sha256').update(file).digest('hex')
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${file.length}\n`

  test('a pointer becomes its file, with the credentials of the repository', async () => {
    const basic = { username: 'robot', password: 'right' }
    await using server = await startGitServer({ basic, lfs: new Map([[oid, file]]) })
    const repo = await server.create('lfs')
    await repo.commit({ 'large.yaml': pointer, 'a.yaml': 'a: 1\n' })
    await setup.createSecret('lfs', basic)
    await setup.create('lfs', { url: repo.url, secretRef: { name: 'lfs' } })
    await setup.untilReady('lfs', 'True')
    expect(await setup.files('lfs')).toEqual({ 'large.yaml': file.toString(), 'a.yaml': 'a: 1\n' })
    const sha = await repo.commit({ 'a.yaml': 'a: 2\n' })
    setup.hint('lfs')
    await setup.untilCommit('lfs', sha)
    expect((await setup.files('lfs'))['large.yaml']).toBe(file.toString())
    await setup.kube.delete(GIT_REPOSITORY, { namespace: setup.namespace, name: 'lfs' })
  })

  test.each([
    ['other bytes than the hash says', Buffer.from('x'.repeat(file.length)), 'size or hash differ'],
    ['no such file', undefined, 'does not have the Git LFS file'],
  ])('a server with %s is refused, and the last artifact stays', async (_what, served, message) => {
    await using server = await startGitServer({ lfs: new Map(served && [[oid, served]]) })
    const name = served === undefined ? 'lfsmissing' : 'lfswrong'
    const repo = await server.create(name)
    await repo.commit({ 'a.yaml': 'a: 1' })
    await setup.create(name, { url: repo.url })
    const good = await setup.untilReady(name, 'True')
    await repo.commit({ 'large.yaml': pointer })
    setup.hint(name)
    expect(readyMessage(await setup.untilReady(name, 'False', 'GitOperationFailed'))).toContain(message)
    await setup.expectKept(good)
    await setup.kube.delete(GIT_REPOSITORY, { namespace: setup.namespace, name })
  })

  test('a server that sends to where clouds keep credentials is not obeyed', async () => {
    await using spoiled = await startSpoiledGitServer(setup.git)
    const repo = await setup.git.create('lfslink')
    await repo.commit({ 'a.yaml': 'a: 1' })
    await setup.create('lfslink', { url: `${spoiled.url}/lfslink.git` })
    const good = await setup.untilReady('lfslink', 'True')
    const download = { href: 'http://169.254.169.254/latest', header: {} }
    const places = JSON.stringify({ objects: [{ oid, size: file.length, actions: { download } }] })
    spoiled.spoil((real, response, { url = '' }) =>
      url.includes('/info/lfs/') ? response.end(places) : pass(real, response),
    )
    await repo.commit({ 'large.yaml': pointer })
    setup.hint('lfslink')
    const failed = await setup.untilReady('lfslink', 'False', 'GitOperationFailed')
    expect(readyMessage(failed)).toContain('is a link-local address, which is refused')
    await setup.expectKept(good)
    await setup.kube.delete(GIT_REPOSITORY, { namespace: setup.namespace, name: 'lfslink' })
  })
})

describe('references', () => {
  test('refs/pull/7/head, which no branch has', async () => {
    const repo = await setup.git.create('pull')
    await repo.commit({ 'a.yaml': 'a: 1\n' })
    const sha = await repo.commit({ 'a.yaml': 'a: 2\n' }, { branch: 'topic' })
    await repo.setRef('refs/pull/7/head', sha)
    await repo.deleteRef('refs/heads/topic')
    await setup.create('pull', { url: repo.url, ref: { name: 'refs/pull/7/head' } })
    const { status } = await setup.untilReady('pull', 'True')
    expect(status?.artifact?.revision).toBe(`refs/pull/7/head@sha1:${sha}`)
  })

  test('a repository with SHA-256 names is refused with the reason', async () => {
    const repo = await setup.git.create('sha256')
    await git(['init', '--quiet', '--bare', '--object-format=sha256', `${repo.dir}2`])
    const tree = await git(['mktree'], { cwd: `${repo.dir}2`, input: [''] })
    const commit = await git(['commit-tree', tree, '-m', 'x'], { cwd: `${repo.dir}2` })
    await git(['update-ref', 'refs/heads/main', commit], { cwd: `${repo.dir}2` })
    await setup.create('sha256', { url: `${repo.url}2` })
    expect(readyMessage(await setup.untilReady('sha256', 'False', 'GitOperationFailed'))).toContain('SHA-256')
  })
})
