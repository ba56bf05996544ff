import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { binary } from './binary.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/**
 * Encrypts a text with the real sops. The end of the name says the format; the rule is one of a `.sops.yaml`,
 * such as `{ age: 'age1…', encrypted_regex: '^(data|stringData)$' }`.
 */
export async function sopsEncrypt(
  name: string,
  text: string,
  rule: object,
  credentials: Record<string, string> = {},
): Promise<string> {
  await using directory = await temporaryDirectory('sops')
  const path = join(directory.path, basename(name))
  const config = join(directory.path, 'config.yaml')
  await writeFile(path, text)
  await writeFile(config, JSON.stringify({ creation_rules: [rule] }))
  const env = { ...credentials, SOPS_DISABLE_VERSION_CHECK: '1', HOME: directory.path }
  const args = ['--config', config, 'encrypt', '--in-place', path]
  await promisify(execFile)(await binary('sops'), args, { cwd: directory.path, env })
  return readFile(path, 'utf8')
}

/** A new key pair, as age-keygen makes one. */
export async function newAgeKey(): Promise<{ identity: string; recipient: string }> {
  const identity = await generateX25519Identity()
  return { identity, recipient: await identityToRecipient(identity) }
}
