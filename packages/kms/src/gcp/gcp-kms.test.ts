import { decryptFile, printFile, readEncryptedFile, recoverDataKey } from '@setpoint/sops'
import { type GcpKms, sopsEncrypt, startGcpKms } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Identities, SecretKeyServices } from '../key-services.ts'

let gcp: GcpKms
beforeAll(async () => {
  gcp = await startGcpKms()
})
afterAll(() => gcp?.[Symbol.asyncDispose]())

test('a file that sops encrypted with a key of Cloud KMS is decrypted with the service account in the Secret', async () => {
  expect(await open(await encrypt(gcp.key), { secret: gcp.serviceAccountKey })).toBe('a: secret\n')
})

test('an access token of an identity is as good', async () => {
  const gcp_kms = async () => gcp.token
  expect(await open(await encrypt(gcp.key), { identities: { gcp_kms } })).toBe('a: secret\n')
})

test('a key that may not be used is told with its name and what is needed', async () => {
  const opening = open(await encrypt(gcp.forbiddenKey), { secret: gcp.serviceAccountKey })
  await expect(opening).rejects.toThrow(
    `GCP KMS ${gcp.forbiddenKey} was refused: PERMISSION_DENIED; the identity needs cloudkms.cryptoKeyVersions.useToDecrypt on it`,
  )
})

test('a token that is not accepted is an error that does not show it', async () => {
  const gcp_kms = async () => 'ya29.hunter2'
  const opening = open(await encrypt(gcp.key), { identities: { gcp_kms } })
  await expect(opening).rejects.toThrow('UNAUTHENTICATED')
  await expect(opening).rejects.not.toThrow('hunter2')
})

test('a service that is away is told', async () => {
  const opening = open(await encrypt(gcp.key), {
    secret: gcp.serviceAccountKey,
    endpoint: 'http://127.0.0.1:1',
  })
  await expect(opening).rejects.toThrow('could not be asked: 127.0.0.1:1 did not answer in time')
})

test.each([
  ['credentials that name files and addresses', { type: 'external_account' }, 'of type service_account'],
  [
    'a key without a private key',
    { type: 'service_account', client_email: 'a' },
    'lacks client_email or a private_key',
  ],
])('%s are refused', (_what, value, problem) => {
  const services = new SecretKeyServices({})
  expect(() => services.read('sops.gcp-kms', Buffer.from(JSON.stringify(value)))).toThrow(problem)
})

function encrypt(key: string): Promise<string> {
  return sopsEncrypt(
    'a.yaml',
    'a: secret\n',
    { gcp_kms: key },
    {
      SOPS_GCP_KMS_ENDPOINT: gcp.url,
      SOPS_GCP_KMS_CLIENT_TYPE: 'rest',
      GOOGLE_OAUTH_ACCESS_TOKEN: gcp.token,
    },
  )
}

interface Opening {
  secret?: string
  identities?: Partial<Identities>
  endpoint?: string
}

async function open(text: string, { secret, identities = {}, endpoint = gcp.url }: Opening): Promise<string> {
  const services = new SecretKeyServices(identities, { gcp: { endpoint } })
  if (secret !== undefined) services.read('sops.gcp-kms', Buffer.from(secret))
  const file = readEncryptedFile(text, 'yaml')
  decryptFile(file, await recoverDataKey(file.metadata, services.services()), { checkMac: true })
  return Buffer.from(printFile(file, 'yaml', 'yaml')).toString()
}
