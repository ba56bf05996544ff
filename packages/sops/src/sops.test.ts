import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { binary, type TemporaryDirectory, temporaryDirectory } from '@setpoint/testkit'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { generateKey, readKey } from 'openpgp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ageKeys,
  decryptFile,
  decryptObject,
  type Format,
  type KeyService,
  objectMetadata,
  pgpKeys,
  printFile,
  readEncryptedFile,
  recoverDataKey,
} from './index.ts'
import { plainDecimal } from './value.ts'

const run = promisify(execFile)

let directory: TemporaryDirectory
let program: string
const ada = await newIdentity()
const bob = await newIdentity()
const eve = await newIdentity()
const adasKeys = await ageKeys([`# created: today\n# public key: ${ada.recipient}\n${ada.identity}\n`])

beforeAll(async () => {
  directory = await temporaryDirectory('sops')
  program = await binary('sops')
})
afterAll(() => directory[Symbol.asyncDispose]())

const SECRET = `# who may read this
apiVersion: v1
kind: Secret
metadata:
    name: database
    annotations:
        on: "yes"
        since: 2024-05-06
stringData:
    # the one of the old server
    password: hunter2 # rotate me
    port: "5432"
    pem: |
        -----BEGIN X-----
        abc
        -----END X-----
    empty: ""
list:
    - 1
    - 2.5
    - 1e30
    - true
    - null
    - nested: 9007199254740993
    - - a
      - b
"10": ten
"9": nine
`

const JSON_FILE = '{"b": {"2": "two", "1": 1.5, "tags": ["<a&b>", true, null, {}]}, "a": 12345678901234567}\n'
const DOTENV = '# for the shell\nUSER=ada\nPASSWORD=a=b # c\nKEY=line\\nbreak\nEMPTY=\n'
const INI = 'top = 1\n[database]\nuser = ada\n; a comment\npassword = "hunter 2 "\n\n[web]\nport = 80\n'
const BINARY = 'anything: [at all\n\ttab, ünicode\n'

describe.each([
  ['secret.yaml', 'yaml', SECRET],
  ['several.yaml', 'yaml', 'a: 1\n---\nb: two\n---\nc: [3, "4"]\n'],
  ['config.json', 'json', JSON_FILE],
  ['shell.env', 'dotenv', DOTENV],
  ['app.ini', 'ini', INI],
  ['blob.txt', 'binary', BINARY],
] as const)('%s', (name, format, text) => {
  test('comes out as sops itself decrypts it, and its MAC fits', async () => {
    const encrypted = await encrypt(name, text, { age: ada.recipient })
    expect(encrypted).not.toContain('hunter')
    expect(await open(encrypted, format)).toBe(await decryptBySops(name, encrypted))
  })
})

test.each([
  ['unencrypted_regex', '^(apiVersion|kind|metadata)$'],
  ['encrypted_regex', '^(data|stringData)$'],
  ['encrypted_suffix', 'Data'],
  ['unencrypted_suffix', 'data'],
  ['unencrypted_comment_regex', 'rotate'],
  ['encrypted_comment_regex', 'rotate'],
])('a file made with %s is read, with the MAC of all values and of encrypted ones', async (rule, text) => {
  for (const mac_only_encrypted of [false, true]) {
    const encrypted = await encrypt('rule.yaml', SECRET, {
      age: ada.recipient,
      [rule]: text,
      mac_only_encrypted,
    })
    expect(await open(encrypted, 'yaml')).toBe(await decryptBySops('rule.yaml', encrypted))
  }
})

test('one of several age recipients is enough', async () => {
  const encrypted = await encrypt('two.yaml', 'a: secret\n', { age: `${bob.recipient},${ada.recipient}` })
  expect(await open(encrypted, 'yaml')).toBe('a: secret\n')
})

test('a file for somebody else says for whom', async () => {
  const encrypted = await encrypt('bobs.yaml', 'a: secret\n', { age: `${bob.recipient},${eve.recipient}` })
  await expect(open(encrypted, 'yaml')).rejects.toThrow(
    `no key opens it; it is encrypted for age ${bob.recipient} or age ${eve.recipient}`,
  )
})

test('a file for a key service that is not supported says which', async () => {
  const encrypted = (await encrypt('kms.yaml', 'a: secret\n', { age: bob.recipient })).replace(
    'sops:\n',
    `sops:\n    kms:\n        - arn: arn:aws:kms:eu-west-1:1:key/2\n          created_at: "2024-01-01T00:00:00Z"\n          enc: AAAA\n          aws_profile: ""\n`,
  )
  await expect(open(encrypted, 'yaml')).rejects.toThrow(
    'AWS KMS arn:aws:kms:eu-west-1:1:key/2 (this kind of key is not supported) or age',
  )
})

test('key groups open with as many keys as the threshold says, and not with fewer', async () => {
  const groups = [ada, bob, eve].map(({ recipient }) => ({ age: [recipient] }))
  const encrypted = await encrypt('groups.yaml', 'a: secret\n', { shamir_threshold: 2, key_groups: groups })
  expect(await open(encrypted, 'yaml', [await ageKeys([ada.identity, eve.identity])])).toBe('a: secret\n')
  await expect(open(encrypted, 'yaml')).rejects.toThrow(
    /keys open 1 of its 3 key groups, 2 are needed; the groups are \(age age1\w+\), \(age/,
  )
})

test('a PGP key opens a file, armored and binary; one with a passphrase is refused', async () => {
  const pgp = await newPgpKey()
  const encrypted = await encrypt('pgp.yaml', 'a: secret\n', { pgp: pgp.fingerprint })
  const key = Buffer.from(pgp.privateKey)
  expect(await open(encrypted, 'yaml', [adasKeys, await pgpKeys([key])])).toBe('a: secret\n')
  await expect(open(encrypted, 'yaml')).rejects.toThrow(`PGP ${pgp.fingerprint}`)
  const locked = await generateKey({ userIDs: [{ name: 'x' }], passphrase: 'open sesame' })
  await expect(pgpKeys([Buffer.from(locked.privateKey)])).rejects.toThrow('protected by a passphrase')
})

test('what is no key is refused without showing it', async () => {
  await expect(ageKeys(['# mine\nAGE-SECRET-KEY-1HUNTER2'])).rejects.toThrow(/^line 2 is no age identity/)
  await expect(pgpKeys([Buffer.from('hunter2')])).rejects.toThrow(/^is no PGP private key$/)
})

describe('a file that was changed after it was encrypted', () => {
  test('is told by its MAC when a plain value was changed, unless that is not to be checked', async () => {
    const changed = (await partly()).replace('name: database', 'name: other')
    await expect(open(changed, 'yaml')).rejects.toThrow('its MAC does not fit')
    expect(await open(changed, 'yaml', [adasKeys], false)).toContain('name: other')
  })

  test('is told when a value was moved to another place', async () => {
    const changed = (await partly()).replace('password:', 'passwort:')
    await expect(open(changed, 'yaml', [adasKeys], false)).rejects.toThrow(
      'the value stringData.passwort was changed or moved',
    )
  })

  test('is told when a value was replaced by plain text', async () => {
    const changed = (await partly()).replace(/password: ENC\S+/, 'password: plain')
    await expect(open(changed, 'yaml', [adasKeys], false)).rejects.toThrow(
      'the value stringData.password is not encrypted, although it should be',
    )
  })

  test('is told when the MAC is gone', async () => {
    const changed = (await partly()).replace(/mac: .*/, 'mac: ""')
    await expect(open(changed, 'yaml')).rejects.toThrow('has no MAC')
  })
})

test('an object is decrypted although labels were added and its keys were sorted', async () => {
  const text = JSON.stringify({ kind: 'Secret', stringData: { b: 'two', a: 'one' }, metadata: { name: 'x' } })
  const encrypted = JSON.parse(
    await encrypt('object.json', text, { age: ada.recipient, encrypted_regex: '^stringData$' }),
  )
  const object = { ...encrypted, metadata: { name: 'x', labels: { team: 'red' } } }
  const metadata = objectMetadata(object)
  if (metadata === undefined) throw new Error('no metadata')
  expect(decryptObject(object, metadata, await recoverDataKey(metadata, [adasKeys]))).toEqual({
    kind: 'Secret',
    stringData: { a: 'one', b: 'two' },
    metadata: { name: 'x', labels: { team: 'red' } },
  })
})

test('one format comes out as another', async () => {
  const encrypted = await encrypt('other.json', '{"USER": "ada", "n": 1}', { age: ada.recipient })
  expect(await open(encrypted, 'json', [adasKeys], true, 'dotenv')).toBe('USER=ada\nn=1\n')
  expect(await open(encrypted, 'json', [adasKeys], true, 'yaml')).toBe('USER: ada\nn: 1\n')
  await expect(open(encrypted, 'json', [adasKeys], true, 'binary')).rejects.toThrow('no text under "data"')
})

test.each([
  'a: 1\n',
  'sops: {}\n',
  '- a\n',
  '{',
  'sops: {age: [{enc: x, recipient: y}], encrypted_regex: "(", mac: z}\na: ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]\n',
  'sops: &a {age: [{enc: x}]}\nb: *a\n',
  `${'['.repeat(20_000)}`,
])('what is no file of SOPS is refused (%#)', async (text) => {
  await expect(open(text, 'yaml')).rejects.toThrow(expect.objectContaining({ name: 'SopsError' }))
})

test('floats are written as Go writes them', () => {
  const values = [1, 0.1, 1e21, 1.5e30, 1e-7, -2.5e-9, -1e25]
  expect(values.map(plainDecimal)).toEqual([
    ...['1', '0.1', '1000000000000000000000', '1500000000000000000000000000000'],
    ...['0.0000001', '-0.0000000025', '-10000000000000000000000000'],
  ])
})

async function partly(): Promise<string> {
  return encrypt('partly.yaml', SECRET, { age: ada.recipient, encrypted_regex: '^(data|stringData)$' })
}

async function open(
  text: string,
  format: Format,
  services: KeyService[] = [adasKeys],
  checkMac = true,
  to: Format = format,
): Promise<string> {
  const file = readEncryptedFile(text, format)
  decryptFile(file, await recoverDataKey(file.metadata, services), { checkMac })
  return Buffer.from(printFile(file, format, to)).toString()
}

/** As the real sops encrypts it, by a rule of its configuration file. */
async function encrypt(name: string, text: string, rule: object): Promise<string> {
  const path = join(directory.path, name)
  const config = join(directory.path, 'config.yaml')
  await writeFile(path, text)
  await writeFile(config, JSON.stringify({ creation_rules: [rule] }))
  await sops(['--config', config, 'encrypt', '--in-place', path], ada.identity)
  return readFile(path, 'utf8')
}

async function decryptBySops(name: string, encrypted: string): Promise<string> {
  const path = join(directory.path, name)
  await writeFile(path, encrypted)
  return (await sops(['decrypt', path], ada.identity)).stdout
}

function sops(args: string[], identity: string) {
  const env = {
    SOPS_AGE_KEY: identity,
    GNUPGHOME: join(directory.path, 'gnupg'),
    SOPS_DISABLE_VERSION_CHECK: '1',
  }
  return run(program, args, { cwd: directory.path, env })
}

async function newIdentity() {
  const identity = await generateX25519Identity()
  return { identity, recipient: await identityToRecipient(identity) }
}

/** A key whose public half is in the key ring that sops reads. */
async function newPgpKey() {
  const { privateKey, publicKey } = await generateKey({ userIDs: [{ name: 'Ada' }] })
  const key = await readKey({ armoredKey: publicKey })
  await mkdir(join(directory.path, 'gnupg'), { recursive: true })
  await writeFile(join(directory.path, 'gnupg', 'pubring.gpg'), key.write())
  return { privateKey, fingerprint: key.getFingerprint().toUpperCase() }
}
