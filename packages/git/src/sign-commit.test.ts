import { execFile } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { git, startGitServer, temporaryDirectory } from '@setpoint/testkit'
import { generateKey } from 'openpgp'
import { afterAll, describe, expect, it } from 'vitest'
import { listRemote } from './list-remote.ts'
import { openMirror } from './mirror.ts'
import { resolveReference } from './resolve-reference.ts'
import { type CommitSigner, openpgpSigner, sshSigner } from './sign-commit.ts'
import { writeCommit } from './write-commit.ts'

/** Signatures that git itself verifies, with the real gpg and ssh-keygen. */

const run = promisify(execFile)
const stack = new AsyncDisposableStack()
afterAll(() => stack.disposeAsync())
const author = { name: 'Setpoint', email: 'setpoint@example.com' }

async function signedCommit(sign: CommitSigner): Promise<{ dir: string; oid: string }> {
  const server = stack.use(await startGitServer())
  const repo = await server.create('fleet')
  await repo.commit({ 'a.yaml': 'one\n' })
  const remote = { url: repo.url, timeoutMs: 20_000 }
  const home = stack.use(await temporaryDirectory('sign')).path
  const mirror = await openMirror(join(home, 'm'), { url: repo.url })
  const { commit: parent } = await mirror.fetch(
    remote,
    resolveReference(await listRemote(remote), { branch: 'main' }),
  )
  const changes = new Map([['a.yaml', Buffer.from('two\n')]])
  const message = 'Update images\n\nünicode'
  const { oid, pack } = await writeCommit(mirror.dir, {
    parent,
    changes,
    author,
    timeMs: Date.now(),
    message,
    sign,
  })
  await git(['unpack-objects', '-q'], { cwd: mirror.dir, input: [Buffer.from(pack)] })
  return { dir: mirror.dir, oid }
}

const userIDs = [author]

describe('a commit signed with OpenPGP', () => {
  it.each([undefined, 'open sesame'])('is good for gpg (passphrase: %s)', async (passphrase) => {
    const made = await generateKey({
      userIDs,
      format: 'armored',
      ...(passphrase === undefined ? {} : { passphrase }),
    })
    const { dir, oid } = await signedCommit(
      await openpgpSigner({ key: made.privateKey, passphrase, now: Date.now }),
    )
    const home = stack.use(await temporaryDirectory('gpg')).path
    await chmod(home, 0o700)
    await writeFile(join(home, 'key.asc'), made.publicKey)
    const env = { ...process.env, GNUPGHOME: home }
    await run('gpg', ['--batch', '--import', join(home, 'key.asc')], { env })
    const { stderr } = await run('git', ['--git-dir', dir, 'verify-commit', oid], { env })
    expect(stderr).toContain('Good signature from "Setpoint <setpoint@example.com>"')
    await run('gpgconf', ['--kill', 'all'], { env })
  })

  it.each([
    ['no passphrase', undefined, 'is protected'],
    ['a wrong one', 'wrong', 'passphrase of the signing key is wrong'],
  ])('is not made with %s', async (_what, given, says) => {
    const made = await generateKey({ userIDs, format: 'armored', passphrase: 'open sesame' })
    const signer = openpgpSigner({ key: made.privateKey, passphrase: given, now: Date.now })
    await expect(signer).rejects.toThrow(says)
  })

  it('is not made with what is no key', async () => {
    await expect(openpgpSigner({ key: 'secret', now: Date.now })).rejects.toThrow('no armored OpenPGP')
  })
})

describe('a commit signed with SSH', () => {
  it.each([
    ['ed25519', []],
    ['ecdsa', ['-b', '384']],
    ['rsa', ['-b', '2048']],
  ])('is good for ssh-keygen (%s, with a passphrase)', async (type, bits) => {
    const home = stack.use(await temporaryDirectory('ssh')).path
    await mkdir(home, { recursive: true })
    const file = join(home, 'key')
    await run('ssh-keygen', ['-q', '-t', type, ...bits, '-N', 'open sesame', '-f', file])
    const { readFile } = await import('node:fs/promises')
    const sign = await sshSigner({ key: await readFile(file, 'utf8'), passphrase: 'open sesame' })
    const { dir, oid } = await signedCommit(sign)
    const allowed = join(home, 'allowed')
    await writeFile(allowed, `${author.email} ${await readFile(`${file}.pub`, 'utf8')}`)
    const settings = ['-c', `gpg.ssh.allowedSignersFile=${allowed}`, '-c', 'gpg.format=ssh']
    const { stderr, stdout } = await run('git', ['--git-dir', dir, ...settings, 'verify-commit', oid])
    expect(stderr + stdout).toContain('Good "git" signature for setpoint@example.com')
    await git(['fsck', '--strict', '--no-dangling', oid], { cwd: dir })
  })
})
