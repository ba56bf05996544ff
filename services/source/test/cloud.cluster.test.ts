import { createHash, generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import {
  BUCKET,
  type Bucket,
  GIT_REPOSITORY,
  type GitRepository,
  type OCIRepository,
} from '@setpoint/contracts'
import {
  type CloudServer,
  type GitServer,
  isCodeCommitLogin,
  type ProxyServer,
  REGISTRY_USER,
  type RegistryServer,
  type S3Server,
  spawnService,
  startCloudServer,
  startGitServer,
  startProxy,
  startRegistry,
  startS3Server,
  temporaryDirectory,
} from '@setpoint/testkit'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { conditionOf, readyMessage, type Setup, startOciSetup } from './harness.ts'

const ECR = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'
const GAR = 'europe-west1-docker.pkg.dev'
const ACR = 'shop.azurecr.io'
const DEVOPS = 'dev.azure.com'
const CODECOMMIT = 'git-codecommit.eu-west-1.amazonaws.com'
const S3 = 's3.eu-west-1.amazonaws.com'
const BLOB = 'shop.blob.core.windows.net'
const GCS = 'storage.googleapis.com'
const LAYER = 'application/vnd.cncf.flux.content.v1.tar+gzip'

let setup: Setup<OCIRepository>
let gits: Setup<GitRepository>
let buckets: Setup<Bucket>
let s3: S3Server
let gitServer: GitServer
let registry: RegistryServer
let proxy: ProxyServer
let cloud: CloudServer
const TENANT = '33333333-3333-3333-3333-333333333333'
const CLIENT = '44444444-4444-4444-4444-444444444444'
const stack = new AsyncDisposableStack()
const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

/** The registries of three clouds are one real registry with their users; a proxy leads to it. */
beforeAll(async () => {
  registry = stack.use(
    await startRegistry({
      tls: true,
      auth: 'basic',
      users: ['AWS', 'oauth2accesstoken', '00000000-0000-0000-0000-000000000000'],
      names: [ECR, GAR],
    }),
  )
  cloud = stack.use(
    await startCloudServer({
      registry,
      secret: REGISTRY_USER.password,
      names: [ACR, BLOB, GCS],
      serviceAccount: { email: 'reader@shop.iam.gserviceaccount.com', publicKey: keys.publicKey },
      whoIs: async (token) => token,
    }),
  )
  gitServer = stack.use(
    await startGitServer({
      tls: true,
      names: [DEVOPS, CODECOMMIT],
      bearerToken: REGISTRY_USER.password,
      allows: (authorization) =>
        isCodeCommitLogin(authorization, {
          host: CODECOMMIT,
          path: '/fleet.git',
          region: 'eu-west-1',
          username: 'ASIAPOD%session-of-the-pod',
          secretAccessKey: REGISTRY_USER.password,
        }),
    }),
  )
  s3 = stack.use(await startS3Server({ tls: true, names: [S3], accessKeyId: 'ASIAPOD' }))
  await s3.createBucket('fleet')
  proxy = stack.use(
    await startProxy({
      kind: 'http',
      routes: {
        [`${ECR}:443`]: registry.host,
        [`${GAR}:443`]: registry.host,
        [`${ACR}:443`]: new URL(cloud.https).host,
        [`${S3}:443`]: s3.endpoint,
        [`${BLOB}:443`]: new URL(cloud.https).host,
        [`${GCS}:443`]: new URL(cloud.https).host,
        [`${DEVOPS}:443`]: new URL(gitServer.url).host,
        [`${CODECOMMIT}:443`]: new URL(gitServer.url).host,
      },
    }),
  )
  const trusted = join(stack.use(await temporaryDirectory('cloud')).path, 'ca.pem')
  const authorities = `${registry.caPem}${cloud.caPem}${gitServer.caPem}${s3.caPem}`
  await writeFile(trusted, authorities)
  const { aws, azure, gcp } = cloud.environment
  const env = { ...aws, ...azure, ...gcp, NODE_EXTRA_CA_CERTS: trusted }
  setup = stack.use(
    await startOciSetup({
      args: ['--object-level-workload-identity=true'],
      spawn: (args) => spawnService('source', { args, env }),
    }),
  )
  buckets = setup.of<Bucket>(BUCKET, { bucketName: 'fleet', proxySecretRef: { name: 'proxy' } })
  gits = setup.of<GitRepository>(GIT_REPOSITORY, { ref: { branch: 'main' } })
  await (await gitServer.create('fleet')).commit({ 'a.yaml': 'a: 1\n' })
  await setup.createSecret('proxy', { address: proxy.address })
  await setup.createSecret('authorities', { 'ca.crt': authorities })
  await registry.pushLayers('team/app', 'latest', [{ mediaType: LAYER, content: await archive() }])
})
afterAll(() => stack.disposeAsync())
beforeEach(() => {
  cloud.state.asked.length = 0
})

const way = { insecure: false, proxySecretRef: { name: 'proxy' } } as const

describe('OCIRepository with the identity of the service', () => {
  test.each([
    ['aws', ECR, 'ecr GetAuthorizationToken in eu-west-1 by ASIAPOD'],
    ['azure', ACR, `acr exchange at ${ACR}`],
    ['gcp', GAR, 'gcp metadata token'],
  ] as const)('%s: the artifact comes from %s', async (provider, host, asked) => {
    await setup.create(`own-${provider}`, { ...way, provider, url: `oci://${host}/team/app` })
    await setup.untilReady(`own-${provider}`, 'True')
    expect(cloud.state.asked).toContain(asked)
  })

  test('many of them log in once', async () => {
    const url = `oci://${ECR}/team/app`
    for (const name of ['one', 'two', 'three']) await setup.create(name, { ...way, provider: 'aws', url })
    for (const name of ['one', 'two', 'three']) await setup.untilReady(name, 'True')
    expect(cloud.state.asked.filter((line) => line.startsWith('ecr')).length).toBeLessThanOrEqual(1)
  })

  test('a host that is no registry of the cloud gets no credential', async () => {
    await setup.create('elsewhere', {
      provider: 'aws',
      insecure: false,
      url: `oci://${ECR}.example.com/team/app`,
    })
    const failed = await setup.untilReady('elsewhere', 'False', 'AuthenticationFailed')
    expect(readyMessage(failed)).toContain('is no registry of Amazon ECR')
    expect(cloud.state.asked).toEqual([])
  })

  test('it is not used where the object brings both a proxy and an authority', async () => {
    const certSecretRef = { name: 'authorities' }
    await setup.create('foreign', { ...way, certSecretRef, provider: 'aws', url: `oci://${ECR}/team/app` })
    const failed = await setup.untilReady('foreign', 'False', 'AuthenticationFailed')
    expect(readyMessage(failed)).toContain('both a proxy and a ca.crt')
  })
})

describe('OCIRepository with the identity of a ServiceAccount', () => {
  test('aws: the role of its annotation reads', async () => {
    await account('aws', { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/reader' })
    await setup.create('account-aws', {
      ...way,
      certSecretRef: { name: 'authorities' },
      provider: 'aws',
      serviceAccountName: 'aws',
      url: `oci://${ECR}/team/app`,
    })
    await setup.untilReady('account-aws', 'True')
    expect(cloud.state.asked).toEqual([
      'sts AssumeRoleWithWebIdentity',
      'ecr GetAuthorizationToken in eu-west-1 by ASIAREADER',
    ])
  })

  test('one without the annotation is an error that names it', async () => {
    await account('plain', {})
    await setup.create('account-plain', {
      ...way,
      provider: 'azure',
      serviceAccountName: 'plain',
      url: `oci://${ACR}/team/app`,
    })
    const failed = await setup.untilReady('account-plain', 'False', 'AuthenticationFailed')
    expect(readyMessage(failed)).toContain('azure.workload.identity/tenant-id')
    expect(conditionOf(failed, 'Stalled')).toBeUndefined()
  })
})

describe('GitRepository with the identity of the service', () => {
  const proxySecretRef = { name: 'proxy' }

  test('azure: Azure DevOps gets a token of its own', async () => {
    await gits.create('devops', { provider: 'azure', proxySecretRef, url: `https://${DEVOPS}/fleet.git` })
    await gits.untilReady('devops', 'True')
    expect(cloud.state.asked[0]).toContain('for 499b84ac-1321-427f-aa17-267ca6975798/.default')
  })

  test('aws: CodeCommit gets a signature', async () => {
    await gits.create('codecommit', {
      provider: 'aws',
      proxySecretRef,
      url: `https://${CODECOMMIT}/fleet.git`,
    })
    await gits.untilReady('codecommit', 'True')
  })

  test.each([
    ['aws', 'https://git.example.com/fleet.git', 'is not AWS CodeCommit'],
    ['aws', `https://${CODECOMMIT}.example.com/fleet.git`, 'is not AWS CodeCommit'],
    ['azure', `https://${DEVOPS}:8443/fleet.git`, 'is not Azure DevOps'],
    ['azure', 'https://evilvisualstudio.com/fleet.git', 'is not Azure DevOps'],
  ] as const)('%s: %s gets nothing', async (provider, url, says) => {
    const name = `elsewhere-${createHash('sha256').update(url).digest('hex').slice(0, 8)}`
    await gits.create(name, { provider, url })
    expect(readyMessage(await gits.untilReady(name, 'False', 'AuthenticationFailed'))).toContain(says)
    expect(cloud.state.asked).toEqual([])
  })
})

describe('Bucket', () => {
  const FILES = { 'a.yaml': 'a: 1\n', 'deep/b +ü&.yaml': 'b: 1\n', 'z.yaml': 'z: 1\n' }

  beforeAll(async () => {
    for (const [key, content] of Object.entries(FILES)) {
      await s3.put('fleet', key, content)
      cloud.state.blobs.put('fleet', key, content)
      cloud.state.gcs.put('fleet', key, content)
    }
    const { password } = REGISTRY_USER
    await setup.createSecret('account-key', { accountKey: Buffer.from(password).toString('base64') })
    await setup.createSecret('sas', { sasKey: `?sv=2023-11-03&sig=${password}` })
    const entra = { tenantId: TENANT, clientId: CLIENT, clientSecret: 'of-the-tenant' }
    await setup.createSecret('entra', entra)
    await setup.createSecret('elsewhere', { ...entra, authorityHost: 'https://login.example.com' })
    const serviceaccount = JSON.stringify({
      type: 'service_account',
      client_email: 'reader@shop.iam.gserviceaccount.com',
      private_key: keys.privateKey,
      private_key_id: '1',
      token_uri: 'http://169.254.169.254/token',
    })
    await setup.createSecret('service-account', { serviceaccount })
    await setup.createSecret('no-key', { serviceaccount: '{"type":"external_account"}' })
  })

  test.each([
    ['aws', S3, undefined, undefined],
    ['azure', `https://${BLOB}`, undefined, 'blob by token'],
    ['azure', `https://${BLOB}`, 'account-key', 'blob by key'],
    ['azure', `https://${BLOB}`, 'sas', 'blob by sas'],
    [
      'azure',
      `https://${BLOB}`,
      'entra',
      `entra token of ${CLIENT} in ${TENANT} for https://storage.azure.com/.default`,
    ],
    ['gcp', GCS, undefined, 'gcs by token'],
    ['gcp', GCS, 'service-account', 'gcs by service account'],
  ] as const)(
    '%s: objects of %s are files, with the Secret %s',
    async (provider, endpoint, secret, asked) => {
      const name = `${provider}-${secret ?? 'identity'}`
      const secretRef = secret === undefined ? {} : { secretRef: { name: secret } }
      await buckets.create(name, { provider, endpoint, ...secretRef })
      await buckets.untilReady(name, 'True')
      expect(await buckets.files(name)).toEqual(FILES)
      if (asked !== undefined) expect(cloud.state.asked).toContain(asked)
    },
  )

  test('gcp: a change is followed, by the generation of the object', async () => {
    cloud.state.gcs.put('fleet', 'a.yaml', 'a: 2\n')
    await buckets.request('gcp-identity')
    expect(await buckets.files('gcp-identity')).toEqual({ ...FILES, 'a.yaml': 'a: 2\n' })
  })

  test.each([
    ['aws', 's3.eu-west-1.amazonaws.com.example.com', undefined, 'is not Amazon S3'],
    ['azure', 'https://shop.blob.core.windows.net.example.com', undefined, 'is not Azure Blob Storage'],
    ['azure', 'http://shop.blob.core.windows.net', undefined, 'needs TLS'],
    ['azure', `https://${BLOB}`, 'elsewhere', 'authorityHost must be one of login.microsoftonline.com'],
    ['gcp', 'storage.example.com', undefined, 'is not Google Cloud Storage'],
    ['gcp', GCS, 'no-key', 'no key of a Google service account'],
  ] as const)('%s: %s gets no credential (%s)', async (provider, endpoint, secret, says) => {
    const name = `not-${createHash('sha256').update(`${endpoint}${secret}`).digest('hex').slice(0, 8)}`
    const secretRef = secret === undefined ? {} : { secretRef: { name: secret } }
    await buckets.create(name, { provider, endpoint, ...secretRef })
    expect(readyMessage(await buckets.untilReady(name, 'False', 'AuthenticationFailed'))).toContain(says)
    expect(cloud.state.asked).toEqual([])
  })

  test('aws: another token service than one of AWS is not asked', async () => {
    const sts = { provider: 'aws', endpoint: 'https://sts.example.com' } as const
    await buckets.create('sts', { provider: 'aws', endpoint: S3, sts })
    const refused = await buckets.untilReady('sts', 'False', 'AuthenticationFailed')
    expect(readyMessage(refused)).toContain('is not the token service of AWS')
    expect(cloud.state.asked).toEqual([])
  })

  test('aws: with a ServiceAccount, the role of its annotation is asked for', async () => {
    await account('s3-reader', { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/reader' })
    await buckets.create('account-s3', { provider: 'aws', endpoint: S3, serviceAccountName: 's3-reader' })
    // The server knows the key of the service alone.
    await buckets.untilReady('account-s3', 'False', 'AuthenticationFailed')
    expect(cloud.state.asked).toEqual(['sts AssumeRoleWithWebIdentity'])
  })

  test('a container or bucket that does not exist', async () => {
    await buckets.create('no-blobs', { provider: 'azure', endpoint: `https://${BLOB}`, bucketName: 'none' })
    await buckets.create('no-gcs', { provider: 'gcp', endpoint: GCS, bucketName: 'none' })
    for (const name of ['no-blobs', 'no-gcs'])
      expect(readyMessage(await buckets.untilReady(name, 'False', 'BucketOperationFailed'))).toContain(
        "'none'",
      )
  })

  test('generic: a user of an LDAP directory gets credentials from the server, once for all Buckets', async () => {
    const { password } = REGISTRY_USER
    await setup.createSecret('ldap', { username: 'ada', password })
    await setup.createSecret('not-ldap', { username: 'ada', password: 'not-it' })
    const endpoint = cloud.https
    const certSecretRef = { name: 'authorities' }
    const spec = (secret: string) => ({
      provider: 'generic' as const,
      endpoint: s3.endpoint,
      certSecretRef,
      proxySecretRef: { name: 'proxy' },
      sts: { provider: 'ldap' as const, endpoint, certSecretRef, secretRef: { name: secret } },
    })
    for (const name of ['ldap-one', 'ldap-two']) await buckets.create(name, spec('ldap'))
    for (const name of ['ldap-one', 'ldap-two']) {
      await buckets.untilReady(name, 'True')
      expect(await buckets.files(name)).toEqual(FILES)
    }
    expect(cloud.state.asked.filter((line) => line.startsWith('ldap'))).toEqual(['ldap ada'])
    await buckets.create('not-ldap', spec('not-ldap'))
    const refused = readyMessage(await buckets.untilReady('not-ldap', 'False', 'AuthenticationFailed'))
    expect(refused).toContain('gave no credentials')
    expect(refused).not.toContain('not-it')
  })
})

async function archive(): Promise<Uint8Array> {
  const files = pack()
  files.entry({ name: 'a.yaml' }, 'a: 1\n')
  files.finalize()
  return gzipSync(await buffer(files as never))
}

async function account(name: string, annotations: Record<string, string>): Promise<void> {
  const metadata = { namespace: setup.namespace, name, annotations }
  await setup.kube.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata })
}
