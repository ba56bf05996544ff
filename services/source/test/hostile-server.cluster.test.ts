import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GIT_REPOSITORY, type GitRepositorySpec } from '@setpoint/contracts'
import { startSshServer } from '@setpoint/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { chainOfDeltas, endlessPack, lyingBlob, rehashed } from './evil-pack.ts'
import { readyMessage, type Setup, startSetup } from './harness.ts'
import {
  packs,
  pass,
  pktLine,
  type Spoil,
  type SpoiledGitServer,
  startSpoiledGitServer,
} from './spoiled-git-server.ts'

/** Servers that lie, or take their time. What was there before stays, and once they behave all goes on. */

const SECRET = 'hunter2-hostile'
const RUN_SECONDS = 12
const stack = new AsyncDisposableStack()
const strangers: string[] = []
let setup: Setup
let server: SpoiledGitServer
let elsewhere = ''
beforeAll(async () => {
  const limits = [
    ...['max-delta-depth=50', 'max-object-bytes=1000000', 'max-fetch-bytes=2000000'],
    ...['max-redirects=2', `max-run-seconds=${RUN_SECONDS}`],
  ]
  setup = stack.use(await startSetup({ args: limits.map((limit) => `--${limit}`) }))
  server = stack.use(await startSpoiledGitServer(setup.git))
  await setup.createSecret('robot', { username: 'robot', password: SECRET })
  elsewhere = await startStranger()
})
afterEach(() => server.spoil())
afterAll(() => stack.disposeAsync())

/** Another host, which notes what it hears. */
async function startStranger(): Promise<string> {
  const stranger = createServer(({ headers }, response) => {
    strangers.push(JSON.stringify(headers))
    response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  stack.defer(() => void stranger.close())
  return `localhost:${(stranger.address() as AddressInfo).port}`
}

const PACK_TYPE = 'application/x-git-upload-pack-result'
const spec = (given: Partial<GitRepositorySpec>) => given
const hurried = spec({ timeout: '1s' })
const sparse = spec({ sparseCheckout: ['d'] })
const withCredentials = spec({ secretRef: { name: 'robot' } })

/** Only the answer that carries the pack. */
const onFetch =
  (spoil: Spoil): Spoil =>
  (real, response, request) =>
    request.method === 'POST' ? spoil(real, response, request) : pass(real, response)
/** Of two fetches, only the second one: with sparseCheckout it asks for the files. */
const onFiles = (spoil: Spoil): Spoil => {
  let fetches = 0
  return onFetch((real, response, request) => {
    fetches += 1
    return fetches % 2 === 0 ? spoil(real, response, request) : pass(real, response)
  })
}
const dripping: Spoil = (real, response) => {
  response.writeHead(200, { 'content-type': real.type })
  let at = 0
  const timer = setInterval(() => response.write(real.body.subarray(at, ++at)), 20)
  response.once('close', () => clearInterval(timer))
}
const half =
  (after: 'silence' | 'end'): Spoil =>
  ({ type, body }, response) => {
    response.writeHead(200, { 'content-type': type, 'content-length': body.length })
    response.write(body.subarray(0, body.length / 2), () => after === 'end' && response.destroy())
  }
const endless: Spoil = (_real, response) => {
  response.writeHead(200, { 'content-type': PACK_TYPE })
  response.write(pktLine('NAK\n'))
  const pack = endlessPack()
  const more = () => {
    while (response.write(pktLine(Buffer.concat([Buffer.from([1]), pack.next().value]))));
    response.once('drain', more)
  }
  response.on('error', () => undefined)
  more()
}
const redirect =
  (to: (path: string) => string): Spoil =>
  (_real, response, { url = '' }) =>
    response.writeHead(302, { location: to(url) }).end()
const answering =
  (status: number, body: string, headers: Record<string, string> = {}): Spoil =>
  (_real, response) =>
    response.writeHead(status, headers).end(body)

test.each<[string, Spoil, string, Partial<GitRepositorySpec>?]>([
  ['that never answers', () => undefined, 'did not answer within 1 s', hurried],
  ['that drips its references', dripping, 'did not answer within 1 s', hurried],
  ['that drips its pack', onFetch(dripping), 'did not answer within 1 s', hurried],
  ['that stops in the middle of its pack', onFetch(half('silence')), 'did not answer within 1 s', hurried],
  ['that stops for longer than a run may take', () => undefined, '--max-run-seconds', { timeout: '59m' }],
  ['that hangs up in the middle of its references', half('end'), 'cannot be reached'],
  ['that hangs up in the middle of its pack', onFetch(half('end')), 'cannot be reached'],
  ['whose pack never ends', onFetch(endless), 'sends more than the limit of 2000000 bytes'],
  ['whose pack has another hash', packs(flipped(-1)), 'its hash is wrong'],
  ['whose pack lies about a size', packs((pack) => rehashed(flipped(12)(pack))), 'than it says'],
  ['whose pack has an object that is larger', packs(() => lyingBlob(10, 1_000)), 'larger than it says'],
  ['whose pack holds a bomb', packs(() => lyingBlob(10_000_000, 10_000_000)), 'limit of 1000000'],
  ['whose pack lies about its objects', packs((pack) => rehashed(flipped(11)(pack))), 'pack that the server'],
  ['whose pack is half', packs((pack) => pack.subarray(0, pack.length / 2)), 'pack that the server sent'],
  ['whose pack is none', packs(() => Buffer.from('<html>'.repeat(20))), 'does not start like one'],
  ['whose deltas lean on deltas', packs(() => chainOfDeltas(60)), 'longer than the limit of 50'],
  ['whose pack holds another commit', packs(() => chainOfDeltas(1)), ''],
  [
    'that hangs up in the middle of the files of a directory',
    onFiles(half('end')),
    'cannot be reached',
    sparse,
  ],
  ['that gives no files of a directory', onFiles(answering(200, '')), '', sparse],
  ['that answers a page', answering(200, '<html>'), 'does not answer like a Git server'],
  ['that is broken', answering(500, SECRET), 'answered HTTP 500'],
  ['that wants to be left alone', answering(429, '', { 'retry-after': '1' }), 'left alone for 1 s'],
  [
    'that says something with control characters',
    answering(200, pktLine('ERR \u001b[31m\u202eevil\n').toString(), {
      'content-type': 'application/x-git-upload-pack-advertisement',
    }),
    '',
  ],
  [
    'that redirects with credentials to another host',
    redirect((path) => `http://robot:${SECRET}@${elsewhere}${path}`),
    'which must not get the credentials',
    withCredentials,
  ],
  [
    'that redirects to where clouds keep credentials',
    redirect(() => 'http://169.254.169.254/latest/meta-data/'),
    'is a link-local address, which is refused',
  ],
  ['that redirects to a file', redirect(() => 'file:///etc/passwd'), 'redirects to what is no HTTP address'],
  ['that redirects in circles', redirect((path) => path), 'redirects more than 2 times'],
])('a server %s: the message says so, and the last artifact stays', async (_what, spoil, message, given) => {
  const name = `server-${crypto.randomUUID()}`
  const repo = await setup.git.create(name)
  await repo.commit({ 'a.yaml': 'a: 1\n', 'd/b.yaml': 'b: 1\n' })
  await setup.create(name, { url: `${server.url}/${name}.git`, interval: '1h', ...given })
  const good = await setup.untilReady(name, 'True')
  const sha = await repo.commit({ 'a.yaml': 'a: 2\n', 'd/b.yaml': 'b: 2\n' })
  server.spoil(spoil)
  setup.hint(name)
  const failed = await setup.untilReady(name, 'False', 'GitOperationFailed')
  expect(readyMessage(failed)).toContain(message)
  expect(readyMessage(failed)).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  await setup.expectKept(good)
  server.spoil()
  setup.hint(name)
  await setup.untilCommit(name, sha)
  await setup.untilReady(name, 'True')
  const told = JSON.stringify([
    failed.status,
    await setup.events(name),
    setup.service.child.logs(),
    strangers,
  ])
  expect(told).not.toContain(SECRET)
  await setup.kube.delete(GIT_REPOSITORY, { namespace: setup.namespace, name })
})

test('a server that gives other files than those of a directory is asked for everything', async () => {
  const repo = await setup.git.create('otherfiles')
  await repo.commit({ 'a.yaml': 'a: 1\n', 'd/b.yaml': 'b: 1\n' })
  server.spoil(onFiles(packs(() => chainOfDeltas(1))))
  await setup.create('otherfiles', { url: `${server.url}/otherfiles.git`, ...sparse })
  await setup.untilReady('otherfiles', 'True')
  expect(await setup.files('otherfiles')).toEqual({ 'd/b.yaml': 'b: 1\n' })
})

test('references whose names no Git allows are not seen, and the others are followed', async () => {
  const repo = await setup.git.create('names')
  const first = await repo.commit({ 'a.yaml': 'a: 1\n' })
  const evil = ['refs/heads/\u001b[31mred', 'refs/tags/v9.0.0\u202e', 'refs/tags/v9.0.1/../v9']
  server.spoil((real, response, { method }) => {
    if (method === 'POST') return pass(real, response)
    const lines = Buffer.concat(evil.map((name) => pktLine(`${first} ${name}\n`)))
    pass({ ...real, body: Buffer.concat([real.body.subarray(0, -4), lines, Buffer.from('0000')]) }, response)
  })
  await setup.create('names', { url: `${server.url}/names.git`, interval: '1h' })
  await setup.untilReady('names', 'True')
  const sha = await repo.commit({ 'a.yaml': 'a: 2\n' })
  setup.hint('names')
  await setup.untilCommit('names', sha)
  await setup.create('newest', { url: `${server.url}/names.git`, ref: { semver: '>=9' } })
  const message = readyMessage(await setup.untilReady('newest', 'False', 'GitOperationFailed'))
  expect(message).not.toMatch(/v9|[\p{Cc}\p{Cf}]/u)
})

test('a host key that changed is refused with both fingerprints, and the last artifact stays until it is trusted', async () => {
  await using ssh = await startSshServer({ hostKeyTypes: ['ed25519'] })
  const repo = await ssh.create('rekeyed')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  const identity = await ssh.createKey()
  await setup.createSecret('rekeyed', { identity, known_hosts: await ssh.knownHosts() })
  await setup.create('rekeyed', { url: repo.url, secretRef: { name: 'rekeyed' } })
  const good = await setup.untilReady('rekeyed', 'True')
  const sha = await repo.commit({ 'a.yaml': 'a: 2\n' })
  await ssh.changeHostKeys()
  setup.hint('rekeyed')
  const failed = await setup.untilReady('rekeyed', 'False', 'GitOperationFailed')
  expect(new Set(readyMessage(failed).match(/SHA256:[\w+/]+/g)).size).toBe(2)
  await setup.expectKept(good)
  await setup.createSecret('trusted', { identity, known_hosts: await ssh.knownHosts() })
  await setup.patchSpec('rekeyed', { secretRef: { name: 'trusted' } })
  await setup.untilCommit('rekeyed', sha)
  await setup.kube.delete(GIT_REPOSITORY, { namespace: setup.namespace, name: 'rekeyed' })
})

function flipped(at: number): (pack: Buffer) => Buffer {
  return (pack) => {
    const changed = Buffer.from(pack)
    const place = at < 0 ? pack.length + at : at
    changed[place] = (changed[place] ?? 0) ^ 1
    return changed
  }
}
