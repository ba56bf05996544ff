import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GIT_REPOSITORY } from '@setpoint/contracts'
import { type SshServer, startGitServer, startProxy, startSshServer } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readyMessage, type Setup, startSetup } from './harness.ts'

let setup: Setup
let ssh: SshServer
beforeAll(async () => {
  setup = await startSetup()
  ssh = await startSshServer()
})
afterAll(async () => {
  await setup[Symbol.asyncDispose]()
  await ssh[Symbol.asyncDispose]()
})

describe('ssh', () => {
  test('a repository is followed, commit by commit', async () => {
    const repo = await ssh.create('followed')
    await repo.commit({ 'a.yaml': 'a: 1\n' })
    const identity = await ssh.createKey('ecdsa', { passphrase: 'open sesame' })
    await setup.createSecret('ssh', {
      identity,
      known_hosts: await ssh.knownHosts(),
      password: 'open sesame',
    })
    await setup.create('followed', { url: repo.url, secretRef: { name: 'ssh' } })
    await setup.untilReady('followed', 'True')
    const sha = await repo.commit({ 'a.yaml': 'a: 2\n' })
    setup.hint('followed')
    await setup.untilCommit('followed', sha)
    expect(await setup.files('followed')).toEqual({ 'a.yaml': 'a: 2\n' })
  })

  test.each([
    ['no Secret', 'sshnosecret', undefined, 'needs spec.secretRef'],
    ['a Secret without identity', 'sshnokey', { known_hosts: 'x' }, 'has no identity'],
    ['a Secret without known_hosts', 'sshnohosts', { identity: 'x' }, 'has no known_hosts'],
  ])('%s: AuthenticationFailed says so', async (_what, name, data, message) => {
    if (data !== undefined) await setup.createSecret(name, data)
    const secretRef = data === undefined ? {} : { secretRef: { name } }
    await setup.create(name, { url: `${ssh.url}/r.git`, ...secretRef })
    expect(readyMessage(await setup.untilReady(name, 'False', 'AuthenticationFailed'))).toContain(message)
  })
})

test.each([
  ['http://%zz:%zz@127.0.0.1:1/r.git', 'AuthenticationFailed'],
  ['http://127.0.0.1:1/%zz.git', 'GitOperationFailed'],
  ['ssh', 'GitOperationFailed'],
])('an address that cannot be decoded (%s) is a failure that is told', async (given, reason) => {
  const name = `undecodable-${crypto.randomUUID()}`
  const identity = await ssh.createKey()
  await setup.createSecret(name, { identity, known_hosts: await ssh.knownHosts() })
  const secretRef = { name }
  await setup.create(name, given === 'ssh' ? { url: `${ssh.url}/%zz`, secretRef } : { url: given })
  await setup.untilReady(name, 'False', reason)
})

describe('https', () => {
  test('a client certificate and a private authority, through a proxy with a password', async () => {
    await using git = await startGitServer({ tls: true, clientCertificates: true })
    await using proxy = await startProxy({
      kind: 'http',
      credentials: { username: 'ada', password: 'hunter2' },
    })
    const repo = await git.create('mutual')
    const sha = await repo.commit({ 'a.yaml': 'a: 1\n' })
    const { cert = '', key = '' } = git.client ?? {}
    await setup.createSecret('mutual', { 'ca.crt': git.caPem ?? '', 'tls.crt': cert, 'tls.key': key })
    await setup.createSecret('proxy', { address: proxy.address, username: 'ada', password: 'hunter2' })
    await setup.create('mutual', {
      url: repo.url,
      secretRef: { name: 'mutual' },
      proxySecretRef: { name: 'proxy' },
    })
    await setup.untilCommit('mutual', sha)
    expect(proxy.targets).toContain(new URL(repo.url).host)
    await setup.kube.delete(GIT_REPOSITORY, { namespace: setup.namespace, name: 'mutual' })
  })

  test('half a client certificate: AuthenticationFailed says so', async () => {
    await setup.createSecret('half', { 'tls.crt': 'x' })
    await setup.create('half', { url: 'https://127.0.0.1:1/r.git', secretRef: { name: 'half' } })
    expect(readyMessage(await setup.untilReady('half', 'False', 'AuthenticationFailed'))).toContain(
      'only one of tls.crt and tls.key',
    )
  })
})

test('a server whose certificate has expired is refused, and the message says so; the last artifact stays', async () => {
  await using git = await startGitServer({ tls: true, expired: true })
  const before = await setup.git.create('expired')
  await before.commit({ 'a.yaml': 'a: 1\n' })
  await setup.create('expired', { url: before.url })
  const good = await setup.untilReady('expired', 'True')
  const repo = await git.create('expired')
  await repo.commit({ 'a.yaml': 'a: 2\n' })
  await setup.createSecret('expired', { 'ca.crt': git.caPem ?? '' })
  await setup.patchSpec('expired', { url: repo.url, secretRef: { name: 'expired' } })
  const failed = await setup.untilReady('expired', 'False', 'GitOperationFailed')
  expect(readyMessage(failed)).toContain('has expired; the server needs a new one')
  await setup.expectKept(good)
  expect(git.requests).toEqual([])
})

test('a password in the URL opens the repository, and is in no status, event, log, message or file', async () => {
  const basic = { username: 'robot', password: 'hunter2-url' }
  await using git = await startGitServer({ basic })
  const repo = await git.create('urlpassword')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  const url = repo.url.replace('http://', 'http://robot:hunter2-url@')
  await setup.create('urlpassword', { url, interval: '1s' })
  await setup.untilReady('urlpassword', 'True')
  git.setOffline(true)
  const failed = await setup.untilReady('urlpassword', 'False', 'GitOperationFailed')
  await setup.untilEvent('urlpassword', ({ reason }) => reason === 'GitOperationFailed')
  const told = [failed.status, await setup.events('urlpassword'), await setup.message('urlpassword')]
  expect(JSON.stringify([told, setup.service.child.logs()])).not.toContain('hunter2-url')
  const files = await readdir(setup.service.storage, { recursive: true, withFileTypes: true })
  for (const file of files.filter((entry) => entry.isFile()))
    expect((await readFile(join(file.parentPath, file.name))).includes('hunter2-url')).toBe(false)
  await setup.kube.delete(GIT_REPOSITORY, { namespace: setup.namespace, name: 'urlpassword' })
})
