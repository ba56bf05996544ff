import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSigners } from './signers.ts'

const stack = new AsyncDisposableStack()
const now = new Date()
let home = ''
let repo = ''
beforeAll(async () => {
  home = stack.use(await temporaryDirectory('gpg')).path
  repo = join(home, 'r')
  execFileSync('git', ['init', '-q', '-b', 'main', repo])
})
afterAll(async () => {
  run('gpgconf', ['--kill', 'all'])
  await stack.disposeAsync()
})

function run(command: string, args: string[], options: { cwd?: string; input?: string } = {}): Buffer {
  const identity = { NAME: 'Ada', EMAIL: 'ada@example.com' }
  const env = Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((who) =>
      Object.entries(identity).map(([k, v]) => [`GIT_${who}_${k}`, v]),
    ),
  )
  return execFileSync(command, args, {
    ...options,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, ...env, GNUPGHOME: home, GIT_CONFIG_GLOBAL: '/dev/null' },
  })
}

const gpg = (args: string[], input?: string) =>
  run(
    'gpg',
    ['--batch', '--pinentry-mode', 'loopback', '--passphrase', '', '--yes', ...args],
    input === undefined ? {} : { input },
  )

/** A new PGP key; its fingerprint. */
function pgpKey(name: string, algorithm = 'ed25519', expires = 'never'): string {
  gpg(['--quick-generate-key', `${name} <${name}@example.com>`, algorithm, 'sign', expires])
  const listed = gpg(['--list-keys', '--with-colons', `${name}@example.com`]).toString()
  return /^fpr:+([0-9A-F]+):/m.exec(listed)?.[1] ?? ''
}

const publicKey = (fingerprint: string) => gpg(['--armor', '--export', fingerprint]).toString()

function sshKey(type: string): { path: string; line: string } {
  const path = join(home, `ssh-${type}-${crypto.randomUUID()}`)
  run('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', path])
  return { path, line: readFileSync(`${path}.pub`, 'utf8') }
}

/** The bytes of a commit, and of a tag of it, both signed by the real git. */
function signed(key: string, format: 'openpgp' | 'ssh'): { commit: Buffer; tag: Buffer } {
  const config = ['-c', `gpg.format=${format}`, '-c', `user.signingkey=${key}`]
  run('git', [...config, 'commit', '-q', '--allow-empty', '-S', '-m', 'Signed\n\nwith a body — ünïcode'], {
    cwd: repo,
  })
  run('git', [...config, 'tag', '-f', '-s', '-m', 'release', 'v1.0.0'], { cwd: repo })
  return {
    commit: run('git', ['cat-file', 'commit', 'HEAD'], { cwd: repo }),
    tag: run('git', ['cat-file', 'tag', 'v1.0.0'], { cwd: repo }),
  }
}

const signersOf = (files: Record<string, string>) => readSigners(new Map(Object.entries(files)))

describe('PGP, by the real gpg', () => {
  test.each(['ed25519', 'rsa2048', 'nistp256'])('%s: a commit and a tag are verified', async (algorithm) => {
    const key = pgpKey(`good-${algorithm}`, algorithm)
    const { commit, tag } = signed(key, 'openpgp')
    const signers = await signersOf({ 'ada.asc': publicKey(key) })
    expect((await signers.verifyCommit(commit, now)).key).toBe(key.slice(-16).toLowerCase())
    expect((await signers.verifyTag(tag, now)).key).toBe(key.slice(-16).toLowerCase())
    const forged = Buffer.from(commit.toString('latin1').replace('Signed', 'Forged'), 'latin1')
    await expect(signers.verifyCommit(forged, now)).rejects.toThrow('is wrong')
  })

  test('one of several keys in one file is enough', async () => {
    const [one, two] = [pgpKey('one'), pgpKey('two')]
    const { commit } = signed(two, 'openpgp')
    const signers = await signersOf({ keys: `${publicKey(one)}\n${publicKey(two)}` })
    expect((await signers.verifyCommit(commit, now)).key).toBe(two.slice(-16).toLowerCase())
  })

  test('a key that is not trusted is refused, by its id', async () => {
    const [known, stranger] = [pgpKey('known'), pgpKey('stranger')]
    const { commit, tag } = signed(stranger, 'openpgp')
    const signers = await signersOf({ 'known.asc': publicKey(known) })
    await expect(signers.verifyCommit(commit, now)).rejects.toThrow(
      `not trusted: ${stranger.slice(-16).toLowerCase()}`,
    )
    await expect(signers.verifyTag(tag, now)).rejects.toThrow('not trusted')
  })

  test('a key that has expired is refused', async () => {
    const key = pgpKey('expiring', 'ed25519', '1d')
    const { commit } = signed(key, 'openpgp')
    const signers = await signersOf({ 'key.asc': publicKey(key) })
    expect((await signers.verifyCommit(commit, now)).key).toBeTruthy()
    const later = new Date(now.getTime() + 3 * 24 * 3_600_000)
    await expect(signers.verifyCommit(commit, later)).rejects.toThrow('has expired')
  })

  test('a key that was revoked is refused', async () => {
    const key = pgpKey('revoked')
    const { commit } = signed(key, 'openpgp')
    const certificate = readFileSync(join(home, 'openpgp-revocs.d', `${key}.rev`), 'utf8').replace(
      ':-----',
      '-----',
    )
    gpg(['--import'], certificate)
    const signers = await signersOf({ 'key.asc': publicKey(key) })
    await expect(signers.verifyCommit(commit, now)).rejects.toThrow('is revoked')
  })
})

describe('SSH, by the real ssh-keygen', () => {
  test.each(['ed25519', 'ecdsa', 'rsa'])('%s: a commit and a tag are verified', async (type) => {
    const { path, line } = sshKey(type)
    const { commit, tag } = signed(path, 'ssh')
    const signers = await signersOf({ 'ada.sshpub': `# Ada\n${line}` })
    expect((await signers.verifyCommit(commit, now)).key).toMatch(/^SHA256:/)
    expect((await signers.verifyTag(tag, now)).key).toMatch(/^SHA256:/)
    const forged = Buffer.from(commit.toString('latin1').replace('Signed', 'Forged'), 'latin1')
    await expect(signers.verifyCommit(forged, now)).rejects.toThrow('is wrong')
  })

  test('a key that is not trusted is refused, by its fingerprint', async () => {
    const { commit } = signed(sshKey('ed25519').path, 'ssh')
    const signers = await signersOf({ 'a.sshpub': sshKey('ed25519').line })
    await expect(signers.verifyCommit(commit, now)).rejects.toThrow(/not trusted: SHA256:/)
  })
})

test('a commit without a signature is refused', async () => {
  run('git', ['commit', '-q', '--allow-empty', '--no-gpg-sign', '-m', 'gpgsig is not signed\n\ngpgsig x'], {
    cwd: repo,
  })
  const commit = run('git', ['cat-file', 'commit', 'HEAD'], { cwd: repo })
  const signers = await signersOf({ 'a.sshpub': sshKey('ed25519').line })
  await expect(signers.verifyCommit(commit, now)).rejects.toThrow('is not signed')
})

test.each([
  ['a.asc', 'nonsense', 'no PGP public key'],
  ['a.sshpub', 'nonsense', 'no SSH public key'],
  [
    'b.asc',
    '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxxxx\n-----END PGP PUBLIC KEY BLOCK-----',
    'cannot|not a PGP',
  ],
])('a file that is no key is named: %s %#', async (name, text, message) => {
  await expect(signersOf({ [name]: text })).rejects.toThrow(new RegExp(`"${name}".*(?:${message})`))
})
