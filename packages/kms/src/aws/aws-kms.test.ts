import { decryptFile, printFile, readEncryptedFile, recoverDataKey } from '@setpoint/sops'
import { AWS_USER, type AwsKms, sopsEncrypt, startAwsKms } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type KeyServiceOptions, SecretKeyServices } from '../key-services.ts'

const ROLE = 'arn:aws:iam::111122223333:role/reader'
const SECRET = { aws_access_key_id: AWS_USER.accessKeyId, aws_secret_access_key: AWS_USER.secretAccessKey }

let aws: AwsKms
let key: string
beforeAll(async () => {
  aws = await startAwsKms()
  vi.stubEnv('AWS_ENDPOINT_URL', aws.url)
  key = await aws.createKey()
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await aws?.[Symbol.asyncDispose]()
})

test('a file that sops encrypted with a key of KMS is decrypted with the keys in the Secret', async () => {
  expect(await open(await encrypt({ kms: key }))).toBe('a: secret\n')
})

test('an encryption context that the file names is sent', async () => {
  const context = { app: 'web', stage: 'live' }
  const text = await encrypt({
    key_groups: [
      {
        kms: [
          { arn: key, context },
          { arn: await aws.createKey(), context },
        ],
      },
    ],
  })
  expect(text).toContain('stage: live')
  expect(await open(text)).toBe('a: secret\n')
  await expect(open(text.replaceAll('stage: live', 'stage: test'))).rejects.toThrow(
    'InvalidCiphertextException',
  )
})

test('a role that the file names is assumed', async () => {
  const reserved = await aws.createKey()
  aws.reserve(reserved, ROLE)
  const text = await encrypt({ key_groups: [{ kms: [{ arn: reserved, role: ROLE }] }] })
  expect(await open(text)).toBe('a: secret\n')
  await expect(open(text.replace('role/reader', 'role/writer'))).rejects.toThrow(
    'needs the role arn:aws:iam::111122223333:role/writer, which may not be assumed: AccessDenied',
  )
})

test('two key groups of which both are needed are put together', async () => {
  const text = await encrypt({
    shamir_threshold: 2,
    key_groups: [{ kms: [{ arn: key }] }, { kms: [{ arn: await aws.createKey() }] }],
  })
  expect(await open(text)).toBe('a: secret\n')
})

test('a key that may not be used is told with its ARN and what is needed', async () => {
  const forbidden = await aws.createKey()
  const text = await encrypt({ kms: forbidden })
  aws.reserve(forbidden, ROLE)
  await expect(open(text)).rejects.toThrow(
    `AWS KMS ${forbidden} was refused: AccessDeniedException; the credentials need kms:Decrypt on it`,
  )
})

test('a disabled key and a missing one are told', async () => {
  const disabled = await aws.createKey()
  const text = await encrypt({ kms: disabled })
  await aws.disableKey(disabled)
  await expect(open(text)).rejects.toThrow('was refused: DisabledException; the key is disabled')
  await expect(open(text.replaceAll(disabled, `${disabled.slice(0, -4)}0000`))).rejects.toThrow(
    'NotFoundException',
  )
})

test('wrong credentials are an error that does not show them', async () => {
  const opening = open(await encrypt({ kms: key }), {
    ...SECRET,
    aws_access_key_id: 'AKIAEVE',
    aws_secret_access_key: 'hunter2',
  })
  await expect(opening).rejects.toThrow(
    'UnrecognizedClientException; the credentials are wrong or have expired',
  )
  await expect(opening).rejects.not.toThrow(/AKIAEVE|hunter2/)
})

test('a service that does not answer is waited for a bounded time, once for many files', async () => {
  const texts = [await encrypt({ kms: key }), await encrypt({ kms: key })]
  aws.freeze()
  try {
    const services = servicesOf(SECRET, { callMs: 300 })
    for (const text of texts)
      await expect(openWith(text, services)).rejects.toThrow(
        'could not be asked: AWS KMS in eu-west-1 did not answer in time',
      )
  } finally {
    aws.mend()
  }
})

test.each([
  ['text', '- a', 'is no YAML map with aws_access_key_id and aws_secret_access_key'],
  ['half a pair', 'aws_access_key_id: a', 'lacks aws_access_key_id or aws_secret_access_key'],
])('%s in place of credentials is refused', (_what, value, problem) => {
  expect(() => servicesOf(value)).toThrow(problem)
})

function encrypt(rule: object): Promise<string> {
  return sopsEncrypt('a.yaml', 'a: secret\n', rule, {
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: AWS_USER.accessKeyId,
    AWS_SECRET_ACCESS_KEY: AWS_USER.secretAccessKey,
  })
}

function servicesOf(secret: unknown, options: KeyServiceOptions = {}) {
  const all = new SecretKeyServices({}, options)
  all.read('sops.aws-kms', Buffer.from(typeof secret === 'string' ? secret : JSON.stringify(secret)))
  return all.services()
}

const open = (text: string, secret: unknown = SECRET) => openWith(text, servicesOf(secret))

async function openWith(text: string, services: ReturnType<typeof servicesOf>): Promise<string> {
  const file = readEncryptedFile(text, 'yaml')
  decryptFile(file, await recoverDataKey(file.metadata, services), { checkMac: true })
  return Buffer.from(printFile(file, 'yaml', 'yaml')).toString()
}
