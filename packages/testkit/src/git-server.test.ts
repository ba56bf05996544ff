import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { git } from './git-command.ts'
import { startGitServer } from './git-server.ts'
import { temporaryDirectory } from './temporary-directory.ts'

it('a clone over HTTP has the committed files, a symbolic link and the executable bit', async () => {
  await using server = await startGitServer()
  await using clone = await temporaryDirectory('clone')
  const repo = await server.create('fleet')
  await repo.commit({
    'a/b.txt': 'old\n',
    'gone.txt': 'x',
    link: { symlink: 'a/b.txt' },
    run: { executable: '#!' },
  })
  const head = await repo.commit({ 'a/b.txt': 'new\n', 'gone.txt': null })
  await git(['clone', '--quiet', repo.url, clone.path])
  expect(await git(['rev-parse', 'HEAD'], { cwd: clone.path })).toBe(head)
  const tree = await git(['ls-tree', '-r', 'HEAD'], { cwd: clone.path })
  expect(tree.replaceAll(/ blob [0-9a-f]+\t/g, ' ').split('\n')).toEqual([
    '100644 a/b.txt',
    '120000 link',
    '100755 run',
  ])
  expect(await git(['show', 'HEAD:a/b.txt'], { cwd: clone.path })).toBe('new')
})

it('a push over HTTP reaches the repository and is told, and a revert takes it back', async () => {
  const told: string[] = []
  await using server = await startGitServer({ onPush: (name) => told.push(name) })
  await using clone = await temporaryDirectory('clone')
  const repo = await server.create('fleet')
  await repo.commit({ 'a.txt': 'one' })
  await git(['clone', '--quiet', repo.url, clone.path])
  await writeFile(join(clone.path, 'a.txt'), 'two')
  await git(['commit', '--quiet', '-am', 'two'], { cwd: clone.path })
  await git(['push', '--quiet', 'origin', 'main'], { cwd: clone.path })
  const pushed = await repo.head()
  expect(told).toEqual(['fleet'])
  expect(await git(['show', 'main:a.txt'], { cwd: repo.dir })).toBe('two')
  await repo.revert(pushed)
  expect(await git(['show', 'main:a.txt'], { cwd: repo.dir })).toBe('one')
})

it('an HTTPS server with basic auth refuses a wrong password and accepts the right one', async () => {
  await using server = await startGitServer({ tls: true, basic: { username: 'ada', password: 'right' } })
  await using home = await temporaryDirectory('trust')
  const repo = await server.create('private')
  await repo.commit({ 'a.txt': 'one' })
  const ca = join(home.path, 'ca.pem')
  await writeFile(ca, server.caPem ?? '')
  const list = (password: string) => {
    const url = repo.url.replace('https://', `https://ada:${password}@`)
    return git(['-c', `http.sslCAInfo=${ca}`, 'ls-remote', url])
  }
  await expect(list('wrong')).rejects.toThrow(/Authentication failed/)
  expect(await list('right')).toContain('refs/heads/main')
  await expect(git(['ls-remote', repo.url])).rejects.toThrow(/certificate/)
  expect(server.requests.map(({ status }) => status)).toContain(401)
})

it('an offline server answers nobody until it is online again', async () => {
  await using server = await startGitServer()
  const repo = await server.create('fleet')
  await repo.commit({ 'a.txt': 'one' })
  server.setOffline(true)
  await expect(git(['ls-remote', repo.url])).rejects.toThrow()
  server.setOffline(false)
  expect(await git(['ls-remote', repo.url])).toContain('refs/heads/main')
})
