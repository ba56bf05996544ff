import { randomUUID } from 'node:crypto'
import {
  AWS_USER,
  type AwsKms,
  accountOfToken,
  type CloudServer,
  type Endpoint,
  sopsEncrypt,
  startAwsKms,
  startCloudServer,
  startEndpoint,
} from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, type Setup, startSetup } from './harness.ts'

const POD = 'arn:aws:iam::123456789012:role/pod'
const READER = 'arn:aws:iam::123456789012:role/reader'
const VAULTS = `vaults-${randomUUID()}`
const VAULT_TOKEN = 's.hunter2'
const decryption = { provider: 'sops' as const }

let setup: Setup
let aws: AwsKms
let cloud: CloudServer
let vault: Endpoint
const stack = new AsyncDisposableStack()

beforeAll(async () => {
  cloud = stack.use(await startCloudServer({ whoIs }))
  aws = stack.use(await startAwsKms({ ASIAPOD: POD, ASIAREADER: READER }))
  vault = stack.use(await startEndpoint(({ url = '', headers }, body) => answerAsVault(url, headers, body)))
  setup = stack.use(
    await startSetup(['--object-level-workload-identity=true', `--sops-vault-configmap=default/${VAULTS}`], {
      env: { ...cloud.environment.aws, AWS_ENDPOINT_URL_KMS: aws.url },
    }),
  )
  await setup.push(await encryptedFiles(), 'main@sha1:1')
  await createSecret('ada', {
    'sops.aws-kms': `aws_access_key_id: ${AWS_USER.accessKeyId}\naws_secret_access_key: ${AWS_USER.secretAccessKey}\n`,
  })
  await createAccount('reader', { 'eks.amazonaws.com/role-arn': READER })
})
afterAll(() => stack.disposeAsync())

/** Vault as far as a login with a token of Kubernetes and the transit engine go. What it calls encryption is base64. */
async function answerAsVault(url: string, headers: Record<string, unknown>, body: string) {
  const request = JSON.parse(body) as Record<string, string>
  if (url === '/v1/auth/kubernetes/login') {
    const who = await whoIs(request.jwt ?? '', vaultAddress())
    const expected = `system:serviceaccount:${request.role?.replace('_', ':')}`
    return who === expected ? { body: { auth: { client_token: VAULT_TOKEN } } } : { status: 403 }
  }
  if (headers['x-vault-token'] !== VAULT_TOKEN) return { status: 403 }
  const data = url.endsWith('/encrypt/fleet')
    ? { ciphertext: `vault:v1:${request.plaintext}` }
    : { plaintext: request.ciphertext?.split(':')[2] }
  return { body: { data } }
}

const vaultAddress = () => `http://127.0.0.1:${vault.port}`

const whoIs = (token: string, audience: string) => accountOfToken(setup.kube, token, audience)

async function encryptedFiles(): Promise<Files> {
  const env = {
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: AWS_USER.accessKeyId,
    AWS_SECRET_ACCESS_KEY: AWS_USER.secretAccessKey,
    VAULT_TOKEN,
  }
  const encrypt = (name: string, rule: object) =>
    sopsEncrypt('a.yaml', secretOf(name), { ...rule, encrypted_regex: '^stringData$' }, env)
  const [open, reserved] = [await aws.createKey(), await aws.createKey()]
  const files = {
    'by-secret/secret.yaml': await encrypt('by-secret', { kms: open }),
    'by-pod/secret.yaml': await encrypt('by-pod', { kms: open }),
    'by-account/secret.yaml': await encrypt('by-account', { kms: reserved }),
    'forbidden/secret.yaml': await encrypt('forbidden', { kms: reserved }),
    'mixed/one.yaml': await encrypt('mixed-one', { kms: open }),
    'mixed/two.yaml': await encrypt('mixed-two', { kms: reserved }),
    'away/secret.yaml': await encrypt('away', { kms: open }),
    'by-vault/secret.yaml': await encrypt('by-vault', {
      hc_vault_transit_uri: `${vaultAddress()}/v1/transit/keys/fleet`,
    }),
  }
  aws.reserve(reserved, READER)
  return files
}

test('a file for AWS KMS is decrypted with the credentials in the Secret, once for one content', async () => {
  const before = aws.decryptions()
  await setup.create('by-secret', { decryption: { ...decryption, secretRef: { name: 'ada' } } })
  await expectOpened('by-secret')
  await setup.request('by-secret', 'again')
  await setup.until('by-secret', 'was asked for again', ({ requestedAt }) => requestedAt === 'again')
  expect(aws.decryptions()).toBe(before + 1)
})

test('without a Secret the service asks as itself', async () => {
  await setup.create('by-pod', { decryption })
  await expectOpened('by-pod')
})

test('with a ServiceAccount it is asked as the role of that account, which may more', async () => {
  await setup.create('by-account', { decryption: { ...decryption, serviceAccountName: 'reader' } })
  await expectOpened('by-account')
  expect(cloud.state.asked).toContain('sts AssumeRoleWithWebIdentity')
})

test('a key that the identity may not use is named, with the file, and nothing is rendered', async () => {
  await setup.create('forbidden', { decryption })
  expect(await setup.untilProblem('forbidden', 'BuildFailed')).toMatch(
    /^cannot decrypt Secret\/forbidden \(forbidden\/secret.yaml\): no key opens it; it is encrypted for AWS KMS (\S+); AWS KMS \1 was refused: AccessDeniedException; the credentials need kms:Decrypt on it$/,
  )
  expect((await setup.last('forbidden'))?.set).toBeUndefined()
})

test('of many files the ones that cannot be opened are named', async () => {
  await setup.create('mixed', { decryption })
  const message = await setup.untilProblem('mixed', 'BuildFailed')
  expect(message).toContain('cannot decrypt Secret/mixed-two (mixed/two.yaml)')
  expect(message).not.toContain('mixed-one')
})

test('an account that does not exist is named', async () => {
  await setup.create('nobody', {
    path: './by-pod',
    decryption: { ...decryption, serviceAccountName: 'nobody' },
  })
  expect(await setup.untilProblem('nobody', 'BuildFailed')).toContain(
    `cannot be asked: ServiceAccount "${setup.namespace}/nobody" does not exist`,
  )
})

test('a service that is away is named, and the build goes on when it is back', async () => {
  aws.cut()
  await setup.create('away', { decryption, retryInterval: '2s' })
  expect(await setup.untilProblem('away', 'BuildFailed')).toContain(
    'could not be asked: AWS KMS in eu-west-1 did not answer in time',
  )
  aws.mend()
  await expectOpened('away')
})

test('an account logs in to a Vault that the operator trusts', async () => {
  const spec = { path: './by-vault', decryption: { ...decryption, serviceAccountName: 'reader' } }
  await setup.create('untrusted', spec)
  expect(await setup.untilProblem('untrusted', 'BuildFailed')).toContain(
    `needs credentials: no login path for ${vaultAddress()} is in config.yaml of ConfigMap default/${VAULTS}`,
  )
  const config = `instances: [{address: "${vaultAddress()}", loginPath: auth/kubernetes/login}]`
  const metadata = { namespace: 'default', name: VAULTS }
  await setup.kube.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'config.yaml': config } })
  await setup.create('by-vault', spec)
  await expectOpened('by-vault')
  await setup.kube.delete({ group: '', version: 'v1', kind: 'ConfigMap' }, metadata)
})

test('a Secret whose credentials cannot be read is named, and not shown', async () => {
  await createSecret('broken', { 'sops.aws-kms': 'hunter2' })
  await setup.create('broken', {
    path: './by-secret',
    decryption: { ...decryption, secretRef: { name: 'broken' } },
  })
  const message = await setup.untilProblem('broken', 'BuildFailed')
  expect(message).toContain(`key sops.aws-kms of Secret ${setup.namespace}/broken`)
  expect(message).not.toContain('hunter2')
})

test('no plain text and no credential is in the logs', () => {
  const secrets = [VAULT_TOKEN, AWS_USER.secretAccessKey, 'secret-of-reader', 'hunter2', 'eyJ']
  for (const secret of secrets) expect(setup.service.child.logs()).not.toContain(secret)
})

async function expectOpened(name: string): Promise<void> {
  const [object] = await setup.objects(await setup.untilRendered(name, 'main@sha1:1'))
  const { password = '' } = (object?.data ?? {}) as Record<string, string>
  expect(Buffer.from(password, 'base64').toString()).toBe('correct horse')
}

async function createSecret(name: string, stringData: Record<string, string>): Promise<void> {
  await setup.kube.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: setup.namespace, name },
    stringData,
  })
}

async function createAccount(name: string, annotations: Record<string, string>): Promise<void> {
  const metadata = { namespace: setup.namespace, name, annotations }
  await setup.kube.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata })
}

function secretOf(name: string): string {
  return `apiVersion: v1\nkind: Secret\nmetadata:\n    name: ${name}\nstringData:\n    password: correct horse\n`
}
