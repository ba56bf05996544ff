import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { type GitRepo, type SshServer, startSshServer, temporaryDirectory } from '@setpoint/testkit'
import ssh2 from 'ssh2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GitError } from '../errors.ts'
import { listRemote } from '../list-remote.ts'
import { openMirror } from '../mirror.ts'
import type { RemoteOptions, SshCredentials } from '../remote-options.ts'
import { resolveReference } from '../resolve-reference.ts'

let server: SshServer
let repo: GitRepo
let knownHosts: string
let identity: string
beforeAll(async () => {
  server = await startSshServer()
  repo = await server.create('fleet')
  await repo.commit({ 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n' })
  knownHosts = await server.knownHosts()
  identity = await server.createKey()
})
afterAll(() => server[Symbol.asyncDispose]())

const remoteOf = (ssh: Partial<SshCredentials> = {}, more: Partial<RemoteOptions> = {}): RemoteOptions => ({
  url: repo.url,
  timeoutMs: 20_000,
  ssh: { identity, knownHosts, ...ssh },
  ...more,
})

const pkcs8 = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' }).toString()

async function failure(action: Promise<unknown>): Promise<GitError> {
  const error = await action.then(
    () => new Error('it did not fail'),
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(GitError)
  return error as GitError
}

describe('over SSH', () => {
  test('a repository is fetched: one commit at first, then only what is new', async () => {
    await using home = await temporaryDirectory('mirror')
    const mirror = await openMirror(join(home.path, 'm'), { url: repo.url })
    const remote = remoteOf()
    const first = await mirror.fetch(remote, resolveReference(await listRemote(remote), { branch: 'main' }))
    expect(first.full).toBe(true)
    const sha = await repo.commit({ 'a.yaml': 'a: 2\n' })
    const news = await mirror.fetch(remote, resolveReference(await listRemote(remote), { branch: 'main' }))
    expect(news).toMatchObject({ commit: sha, full: false })
    expect((await mirror.readTree(sha)).map(({ path }) => path)).toEqual(['a.yaml', 'b.yaml'])
  })

  test('more bytes than the limit are refused while they arrive', async () => {
    const remote = remoteOf({}, { maxBytes: 300 })
    expect((await failure(listRemote(remote))).code).toBe('TooLarge')
  })

  test('a repository that is not there', async () => {
    const remote = remoteOf({}, { url: `${server.url}/nothing.git` })
    expect((await failure(listRemote(remote))).code).toBe('RepositoryNotFound')
  })
})

describe('a private key', () => {
  test.each([
    ['ed25519', 'ed25519', {}],
    ['ECDSA', 'ecdsa', {}],
    ['RSA', 'rsa', {}],
    ['ed25519 with a passphrase', 'ed25519', { passphrase: 'open sesame' }],
    ['RSA in the old PEM form', 'rsa', { pem: true }],
    ['ECDSA in the old PEM form with a passphrase', 'ecdsa', { pem: true, passphrase: 'open sesame' }],
  ] as const)('%s logs in', async (_name, type, options) => {
    const key = await server.createKey(type, options)
    const passphrase = 'passphrase' in options ? { passphrase: options.passphrase } : {}
    expect((await listRemote(remoteOf({ identity: key, ...passphrase }))).refs.size).toBe(1)
  })

  test.each([
    ['ed25519', () => generateKeyPairSync('ed25519').privateKey],
    ['ECDSA P-384', () => generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey],
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ])('%s in the PKCS#8 form of the flux command is read, encrypted too', async (_name, create) => {
    const { parseIdentity } = await import('./identity.ts')
    const key = create()
    const plain = pkcs8(key)
    const sealed = { format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'open sesame' } as const
    const encrypted = createPrivateKey(plain).export(sealed).toString()
    const parsed = parseIdentity({ identity: plain, knownHosts: '' })
    const unsealed = parseIdentity({ identity: encrypted, passphrase: 'open sesame', knownHosts: '' })
    expect(unsealed.getPublicSSH()).toEqual(parsed.getPublicSSH())
    expect(parsed.verify(Buffer.from('x'), parsed.sign(Buffer.from('x')) as Buffer)).toBe(true)
    expect(ssh2.utils.parseKey(parsed.getPublicSSH())).not.toBeInstanceOf(Error)
  })

  test.each([
    ['that nobody let in', () => pkcs8(generateKeyPairSync('ed25519').privateKey), 'refused the SSH key'],
    ['that is none', () => 'secret-nonsense', 'not a private key'],
  ])('%s is refused, and not shown', async (_name, key, message) => {
    const error = await failure(listRemote(remoteOf({ identity: key() })))
    expect(error.code).toBe('AuthenticationFailed')
    expect(error.message).toMatch(message)
    expect(`${error.message} ${error.stack}`).not.toContain('nonsense')
  })

  test('a wrong or missing passphrase is told', async () => {
    const key = await server.createKey('ed25519', { passphrase: 'open sesame' })
    expect((await failure(listRemote(remoteOf({ identity: key })))).message).toContain('give its passphrase')
    const wrong = await failure(listRemote(remoteOf({ identity: key, passphrase: 'hunter2' })))
    expect(wrong.message).toContain('passphrase ("password") is wrong')
    expect(wrong.message).not.toContain('hunter2')
  })

  test('without a Secret SSH fails clearly', async () => {
    const { ssh: _ssh, ...remote } = remoteOf()
    expect((await failure(listRemote(remote))).message).toContain(
      'needs a Secret with identity and known_hosts',
    )
  })
})

describe('the host key', () => {
  test('that changed is refused, with both fingerprints', async () => {
    await using changing = await startSshServer({ hostKeyTypes: ['ed25519'] })
    const other = await changing.create('r')
    await other.commit({ 'a.yaml': 'a: 1\n' })
    const before = { knownHosts: await changing.knownHosts(), identity: await changing.createKey() }
    const remote: RemoteOptions = { url: other.url, timeoutMs: 20_000, ssh: before }
    expect((await listRemote(remote)).refs.size).toBe(1)
    await changing.changeHostKeys()
    const error = await failure(listRemote(remote))
    expect(error.code).toBe('HostKeyRefused')
    expect(error.message).toMatch(/has changed.*SHA256:\S{43}.*SHA256:\S{43}/)
  })

  test('of a host that is not known is refused', async () => {
    const error = await failure(
      listRemote(remoteOf({ knownHosts: knownHosts.replaceAll('127.0.0.1', '127.0.0.2') })),
    )
    expect(error.code).toBe('HostKeyRefused')
    expect(error.message).toContain('known_hosts has no key of [127.0.0.1]')
  })

  test('of a kind that the server also has is enough', async () => {
    for (const line of knownHosts.trim().split('\n'))
      expect((await listRemote(remoteOf({ knownHosts: line }))).refs.size).toBe(1)
  })
})
