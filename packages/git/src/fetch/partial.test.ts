import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  type GitRepo,
  git,
  type SshServer,
  startGitServer,
  startSshServer,
  temporaryDirectory,
} from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listRemote } from '../list-remote.ts'
import { openMirror } from '../mirror.ts'
import type { GitMirror, TreeEntry } from '../mirror-types.ts'
import { PackWriter } from '../pack-writer.ts'
import { FLUSH, pktLine } from '../pkt-line.ts'
import { EMPTY_PACK } from '../push.ts'
import type { RemoteOptions } from '../remote-options.ts'
import { resolveReference } from '../resolve-reference.ts'

const stack = new AsyncDisposableStack()
let http: Awaited<ReturnType<typeof startGitServer>>
let ssh: SshServer
let home: string
const remotes = new Map<string, (repo: GitRepo) => RemoteOptions>()
beforeAll(async () => {
  http = stack.use(await startGitServer())
  ssh = stack.use(await startSshServer())
  home = stack.use(await temporaryDirectory('partial')).path
  const credentials = { identity: await ssh.createKey(), knownHosts: await ssh.knownHosts() }
  remotes.set('HTTP', ({ url }) => ({ url, timeoutMs: 20_000 }))
  remotes.set('SSH', ({ url }) => ({ url, timeoutMs: 20_000, ssh: credentials }))
})
afterAll(() => stack.disposeAsync())

const FILES = 40
const FILE_BYTES = 50_000
const ALL_BYTES = FILES * FILE_BYTES

/** 40 directories, each with a file that does not compress. */
async function bigRepository(server: 'HTTP' | 'SSH', settings: Record<string, string> = {}) {
  const repo = await (server === 'HTTP' ? http : ssh).create(`r-${crypto.randomUUID()}`)
  const files = Array.from({ length: FILES }, (_, n) => [`dir-${n}/file.bin`, randomBytes(FILE_BYTES)])
  await repo.commit(Object.fromEntries(files))
  for (const [name, value] of Object.entries(settings)) await git(['config', name, value], { cwd: repo.dir })
  const remote = remotes.get(server)?.(repo) ?? { url: '', timeoutMs: 0 }
  const mirror = await openMirror(join(home, crypto.randomUUID()), { url: repo.url, withoutBlobs: true })
  return { repo, remote, mirror }
}

async function fetchMain(mirror: GitMirror, remote: RemoteOptions) {
  const { advertisement, ...refs } = await listRemote(remote)
  return mirror.fetch(remote, resolveReference(refs, { branch: 'main' }), { advertisement })
}

const below = (tree: TreeEntry[], ...directories: string[]) =>
  tree
    .filter(({ path }) => directories.some((directory) => path.startsWith(`${directory}/`)))
    .map(({ oid }) => oid)

describe.each(['HTTP', 'SSH'] as const)('a copy without files, over %s', (server) => {
  test('gets those of one directory only, and later those of others as they are needed', async () => {
    const { repo, remote, mirror } = await bigRepository(server)
    const { commit, receivedBytes, full } = await fetchMain(mirror, remote)
    expect(full).toBe(true)
    const tree = await mirror.readTree(commit)
    expect(tree).toHaveLength(FILES)
    expect(receivedBytes).toBeLessThan(ALL_BYTES / 100)

    const one = below(tree, 'dir-1')
    const oneBytes = await mirror.fetchBlobs(remote, one)
    expect(oneBytes).toBeGreaterThan(FILE_BYTES)
    expect(oneBytes).toBeLessThan(FILE_BYTES * 1.1)
    expect((await mirror.readBlob(one[0] ?? '')).length).toBe(FILE_BYTES)
    expect(await mirror.fetchBlobs(remote, one)).toBe(0)

    const wider = await mirror.fetchBlobs(remote, below(tree, 'dir-1', 'dir-2', 'dir-3'))
    expect(wider).toBeGreaterThan(2 * FILE_BYTES)
    expect(wider).toBeLessThan(2 * FILE_BYTES * 1.1)

    const sha = await repo.commit({ 'dir-1/file.bin': 'small', 'dir-9/file.bin': randomBytes(FILE_BYTES) })
    const news = await fetchMain(mirror, remote)
    expect(news).toMatchObject({ commit: sha, full: false })
    const changed = below(await mirror.readTree(sha), 'dir-1')
    expect(news.receivedBytes + (await mirror.fetchBlobs(remote, changed))).toBeLessThan(20_000)
    expect(Buffer.from(await mirror.readBlob(changed[0] ?? '')).toString()).toBe('small')
  })

  test('goes on as one when it is opened again by somebody who wants all files', async () => {
    const { repo, remote, mirror } = await bigRepository(server)
    const { commit } = await fetchMain(mirror, remote)
    const again = await openMirror(mirror.dir, { url: repo.url })
    const all = (await again.readTree(commit)).map(({ oid }) => oid)
    expect(await again.fetchBlobs(remote, all)).toBeGreaterThan(ALL_BYTES)
    for (const oid of all) expect((await again.readBlob(oid)).length).toBe(FILE_BYTES)
  })

  test.each([
    ['that knows no filters', { 'uploadpack.allowFilter': 'false' }],
    ['that refuses the filter', { 'uploadpackfilter.blob:none.allow': 'false' }],
  ])('is whole from a server %s', async (_what, settings) => {
    const { remote, mirror } = await bigRepository(server, settings)
    const { commit, receivedBytes } = await fetchMain(mirror, remote)
    expect(receivedBytes).toBeGreaterThan(ALL_BYTES)
    const all = (await mirror.readTree(commit)).map(({ oid }) => oid)
    expect(await mirror.fetchBlobs(remote, all)).toBe(0)
    for (const oid of all) expect((await mirror.readBlob(oid)).length).toBe(FILE_BYTES)
  })
})

test('a server that gives no single files is asked for all of them after a reset', async () => {
  const { remote, mirror } = await bigRepository('SSH', { 'uploadpack.allowAnySHA1InWant': 'false' })
  const { commit } = await fetchMain(mirror, remote)
  const one = below(await mirror.readTree(commit), 'dir-1')
  const refused = mirror.fetchBlobs(remote, one)
  await expect(refused).rejects.toMatchObject({
    code: 'Damaged',
    message: expect.stringContaining('refuses'),
  })
  await mirror.reset()
  expect((await fetchMain(mirror, remote)).receivedBytes).toBeGreaterThan(ALL_BYTES)
  expect(await mirror.fetchBlobs(remote, one)).toBe(0)
  expect((await mirror.readBlob(one[0] ?? '')).length).toBe(FILE_BYTES)
})

test('over HTTP, two requests with what a listing heard are enough', async () => {
  const { repo, remote, mirror } = await bigRepository('HTTP')
  const { advertisement, ...refs } = await listRemote(remote)
  const asked = () =>
    http.requests
      .filter(({ path }) => path.startsWith(new URL(repo.url).pathname))
      .map(({ method }) => method)
  const before = asked().length
  const resolved = resolveReference(refs, { branch: 'main' })
  const { commit } = await mirror.fetch(remote, resolved, { advertisement })
  await mirror.fetchBlobs(remote, below(await mirror.readTree(commit), 'dir-1'), advertisement)
  expect(asked().slice(before)).toEqual(['POST', 'POST'])
})

test('a server that leaves out what it was asked for is not believed twice', async () => {
  const writer = new PackWriter()
  const missing = 'b'.repeat(40)
  const tree = writer.add('tree', Buffer.concat([Buffer.from('100644 a\0'), Buffer.from(missing, 'hex')]))
  const person = 'Ada <ada@example.com> 0 +0000'
  const commit = writer.add(
    'commit',
    Buffer.from(`tree ${tree}\nauthor ${person}\ncommitter ${person}\n\nChange\n`),
  )
  const packs = [await writer.finish(), EMPTY_PACK]
  const line = (text: string) => pktLine(`${text}\n`)
  const server = createServer((request, response) => {
    request.resume()
    const parts =
      request.method === 'GET'
        ? [line('# service=git-upload-pack'), FLUSH, line(`${commit} refs/heads/main\0side-band-64k filter`)]
        : [line('NAK'), pktLine(Buffer.concat([Buffer.from([1]), packs.shift() ?? EMPTY_PACK]))]
    response.end(Buffer.concat([...parts, FLUSH]))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/r.git`
  const mirror = await openMirror(join(home, crypto.randomUUID()), { url, withoutBlobs: true })
  const remote = { url, timeoutMs: 5_000 }
  expect(await fetchMain(mirror, remote)).toMatchObject({ commit, full: true })
  const fetching = mirror.fetchBlobs(remote, [missing])
  await expect(fetching).rejects.toMatchObject({
    code: 'Damaged',
    message: expect.stringContaining('all of'),
  })
  server.closeAllConnections()
  server.close()
})
