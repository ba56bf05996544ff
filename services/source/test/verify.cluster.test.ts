import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type GitRepo, git, type TemporaryDirectory, temporaryDirectory } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { conditionOf, readyMessage, type Setup, startSetup } from './harness.ts'

let setup: Setup
let home: TemporaryDirectory
let trusted: { path: string; line: string }
let stranger: { path: string; line: string }
beforeAll(async () => {
  home = await temporaryDirectory('keys')
  trusted = newKey('trusted')
  stranger = newKey('stranger')
  setup = await startSetup()
  await setup.createSecret('keys', { 'ada.sshpub': trusted.line })
})
afterAll(async () => {
  await setup[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

function newKey(name: string) {
  const path = join(home.path, name)
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path])
  return { path, line: readFileSync(`${path}.pub`, 'utf8') }
}

const signing = (key: string) => ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${key}`]

/** The tip of main once more, signed. */
async function signedCommit(repo: GitRepo, key: string): Promise<string> {
  const args = ['commit-tree', 'main^{tree}', '-p', 'main', '-S', '-m', 'signed']
  const sha = await git([...signing(key), ...args], { cwd: repo.dir })
  await repo.setRef('refs/heads/main', sha)
  return sha
}

const signedTag = (repo: GitRepo, name: string, key: string) =>
  git([...signing(key), 'tag', '-s', '-f', '-m', name, name, 'main'], { cwd: repo.dir })

test('HEAD: only a commit with a trusted signature becomes the artifact', async () => {
  const repo = await setup.git.create('head')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  const verify = { secretRef: { name: 'keys' } }
  await setup.create('head', { url: repo.url, interval: '1s', verify })
  const unsigned = await setup.untilReady('head', 'False', 'InvalidCommitSignature')
  expect(readyMessage(unsigned)).toContain('it is not signed')
  expect(conditionOf(unsigned, 'SourceVerified')).toMatchObject({
    status: 'False',
    reason: 'InvalidCommitSignature',
  })
  expect(unsigned.status?.artifact).toBeUndefined()

  const good = await signedCommit(repo, trusted.path)
  const ready = await setup.untilCommit('head', good)
  expect(conditionOf(ready, 'SourceVerified')).toMatchObject({ status: 'True', reason: 'Succeeded' })
  expect(conditionOf(ready, 'SourceVerified')?.message).toContain(`commit '${good}' with key 'SHA256:`)
  expect(ready.status?.sourceVerificationMode).toBe('HEAD')

  await signedCommit(repo, stranger.path)
  const refused = await setup.untilReady('head', 'False', 'InvalidCommitSignature')
  expect(readyMessage(refused)).toContain('not trusted: SHA256:')
  expect(refused.status?.artifact?.revision).toBe(`main@sha1:${good}`)
  expect((await setup.message('head'))?.revision).toBe(`main@sha1:${good}`)

  await setup.patchSpec('head', { verify: null })
  const open = await setup.untilReady('head', 'True')
  expect(conditionOf(open, 'SourceVerified')).toBeUndefined()
  expect(open.status?.sourceVerificationMode).toBeUndefined()
})

test('an artifact that is there is verified once verify is asked for', async () => {
  const repo = await setup.git.create('later')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.create('later', { url: repo.url })
  await setup.untilReady('later', 'True')
  await setup.patchSpec('later', { verify: { secretRef: { name: 'keys' } } })
  await setup.untilReady('later', 'False', 'InvalidCommitSignature')
})

test('Tag and TagAndHEAD: the annotated tag has to be signed, and the commit as well', async () => {
  const repo = await setup.git.create('tags')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  await signedTag(repo, 'v1.0.0', trusted.path)
  await repo.tag('v2.0.0')
  await signedTag(repo, 'v3.0.0', stranger.path)
  const verify = (mode: 'Tag' | 'TagAndHEAD') => ({ mode, secretRef: { name: 'keys' } })
  const at = (tag: string) => ({ branch: null, tag }) as unknown as { tag: string }
  await setup.create('tags', { url: repo.url, ref: { semver: '1.x' }, verify: verify('Tag') })
  const ready = await setup.untilReady('tags', 'True')
  expect(conditionOf(ready, 'SourceVerified')?.message).toContain("tag 'v1.0.0@")
  await setup.create('light', { url: repo.url, ref: at('v2.0.0'), verify: verify('Tag') })
  expect(readyMessage(await setup.untilReady('light', 'False', 'InvalidGitObject'))).toContain(
    'not an annotated tag',
  )
  await setup.create('strange', { url: repo.url, ref: at('v3.0.0'), verify: verify('Tag') })
  expect(readyMessage(await setup.untilReady('strange', 'False', 'InvalidTagSignature'))).toContain(
    'not trusted',
  )
  await setup.create('both', { url: repo.url, ref: at('v1.0.0'), verify: verify('TagAndHEAD') })
  await setup.untilReady('both', 'False', 'InvalidCommitSignature')
})

test.each([
  [
    'a mode that needs a tag, without one',
    'notag',
    { mode: 'Tag', secretRef: { name: 'keys' } },
    'InvalidVerificationMode',
  ],
  ['a Secret that is not there', 'nokeys', { secretRef: { name: 'missing' } }, 'VerificationError'],
] as const)('%s', async (_what, name, verify, reason) => {
  const repo = await setup.git.create(name)
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.create(name, { url: repo.url, verify })
  await setup.untilReady(name, 'False', reason)
})

describe('PGP, by the real gpg', () => {
  const LAST_YEAR = '20250301T000000!'
  const environment = () => ({ ...process.env, GNUPGHOME: home.path })
  const gpg = (...args: string[]) =>
    execFileSync('gpg', ['--batch', '--yes', '--pinentry-mode', 'loopback', '--passphrase', '', ...args], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString()
  afterAll(() => execFileSync('gpgconf', ['--kill', 'all'], { env: environment() }))

  /** A new key; its fingerprint. */
  function newPgpKey(name: string, ...when: string[]): string {
    gpg(...when, '--quick-generate-key', `${name} <${name}@example.com>`, 'ed25519', 'sign', '1y')
    return /^fpr:+([0-9A-F]+):/m.exec(gpg('--list-keys', '--with-colons', `<${name}@example.com>`))?.[1] ?? ''
  }

  /** The tip of main once more, signed at a time. */
  async function pgpCommit(repo: GitRepo, key: string, when: string[] = []): Promise<string> {
    const program = join(home.path, `gpg-${crypto.randomUUID()}`)
    writeFileSync(program, `#!/bin/sh\nexec gpg ${when.join(' ')} "$@"\n`, { mode: 0o755 })
    const identity = ['user.name=Ada', 'user.email=ada@example.com', `user.signingkey=${key}`]
    const settings = [...identity, `gpg.program=${program}`].flatMap((setting) => ['-c', setting])
    const args = [...settings, 'commit-tree', 'main^{tree}', '-p', 'main', '-S', '-m', 'signed']
    const sha = execFileSync('git', args, { cwd: repo.dir, env: environment() }).toString().trim()
    await repo.setRef('refs/heads/main', sha)
    return sha
  }

  function revoke(key: string): void {
    const path = join(home.path, 'openpgp-revocs.d', `${key}.rev`)
    writeFileSync(path, readFileSync(path, 'utf8').replace(':-----', '-----'))
    gpg('--import', path)
  }

  test.each<[string, string, (repo: GitRepo) => Promise<string>, string]>([
    [
      'that has expired',
      'expired',
      (repo) => {
        const when = ['--faked-system-time', LAST_YEAR]
        const key = newPgpKey('expired', ...when)
        return pgpCommit(repo, key, when).then(() => key)
      },
      'has expired',
    ],
    [
      'that was revoked',
      'revoked',
      async (repo) => {
        const key = newPgpKey('revoked')
        await pgpCommit(repo, key)
        revoke(key)
        return key
      },
      'is revoked',
    ],
    [
      'that nobody knows',
      'unknown',
      async (repo) => {
        const known = newPgpKey('known')
        await pgpCommit(repo, newPgpKey('unknown'))
        return known
      },
      'not trusted',
    ],
  ])('a commit by a key %s is refused, and the artifact of the good one stays', async (...row) => {
    const [, name, sign, message] = row
    const repo = await setup.git.create(name)
    await repo.commit({ 'a.yaml': 'a: 1\n' })
    const ada = newPgpKey(`ada-${name}`)
    const good = await pgpCommit(repo, ada)
    const signer = await sign(repo)
    const next = await repo.head()
    await repo.setRef('refs/heads/main', good)
    await setup.createSecret(name, {
      'ada.asc': gpg('--armor', '--export', ada),
      'other.asc': gpg('--armor', '--export', signer),
    })
    await setup.create(name, { url: repo.url, verify: { mode: 'head', secretRef: { name } } })
    const ready = await setup.untilCommit(name, good)
    expect(ready.status?.sourceVerificationMode).toBe('head')
    await repo.setRef('refs/heads/main', next)
    setup.hint(name)
    const refused = await setup.untilReady(name, 'False', 'InvalidCommitSignature')
    expect(readyMessage(refused)).toContain(message)
    expect(conditionOf(refused, 'SourceVerified')).toMatchObject({
      status: 'False',
      reason: 'InvalidCommitSignature',
    })
    await setup.expectKept(ready)
  })
})
