import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { connectKube, type KubeClient } from '@setpoint/kube'
import {
  accountOfToken,
  type CloudServer,
  sharedCluster,
  startCloudServer,
  testNamespace,
} from '@setpoint/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { CloudLogins, type CloudLoginsOptions } from './index.ts'

const TENANT = '33333333-3333-3333-3333-333333333333'
const CLIENT = '44444444-4444-4444-4444-444444444444'
const PROVIDER = 'projects/42/locations/global/workloadIdentityPools/clusters/providers/main'
const VAULT = 'https://vault.azure.net/.default'

let kube: KubeClient
let namespace: Awaited<ReturnType<typeof testNamespace>>
let cloud: CloudServer
const signal = new AbortController().signal

beforeAll(async () => {
  const cluster = await sharedCluster()
  kube = await connectKube({ kubeconfig: cluster.kubeconfig })
  namespace = await testNamespace(cluster)
  cloud = await startCloudServer({ whoIs })
  setDefaultCACertificates([...getCACertificates('default'), cloud.caPem])
})
afterAll(async () => {
  await cloud[Symbol.asyncDispose]()
  await namespace[Symbol.asyncDispose]()
  await kube[Symbol.asyncDispose]()
})
beforeEach(() => {
  cloud.state.asked.length = 0
  const { aws, azure, gcp } = cloud.environment
  for (const [name, value] of Object.entries({ ...aws, ...azure, ...gcp })) vi.stubEnv(name, value)
})
afterEach(() => vi.unstubAllEnvs())

/** The API server itself says whose token it is, as the clouds check with its public keys. */
const whoIs = (token: string, audience: string) => accountOfToken(kube, token, audience)

const logins = (options: Partial<CloudLoginsOptions> = {}) =>
  new CloudLogins({
    kube,
    now: Date.now,
    objectLevel: true,
    gcpEndpoints: { sts: `${cloud.http}/v1/token`, iamCredentials: cloud.http },
    ...options,
  })

async function account(name: string, annotations: Record<string, string>) {
  const metadata = { name, namespace: namespace.name, annotations }
  await kube.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata }, { fieldManager: 'test' })
  return { namespace: namespace.name, name }
}

describe('AWS', () => {
  const roleOf = (role: string) => ({
    'eks.amazonaws.com/role-arn': `arn:aws:iam::123456789012:role/${role}`,
  })

  test('without an account, the credentials are those of the pod', async () => {
    expect(await logins().aws({ signal })).toMatchObject({
      accessKeyId: 'ASIAPOD',
      sessionToken: 'session-of-the-pod',
    })
  })

  test('with an account, they are those of the role that it is annotated with', async () => {
    const reader = await account('aws-reader', roleOf('reader'))
    expect(await logins().aws({ account: reader, region: 'eu-west-1', signal })).toMatchObject({
      accessKeyId: 'ASIAREADER',
      sessionToken: `aws-reader.${namespace.name}.eu-west-1.setpoint`,
    })
  })

  test('another token service is asked where one is given', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1')
    const reader = await account('aws-reader', roleOf('reader'))
    const login = { account: reader, region: 'eu-west-1', stsEndpoint: cloud.http, signal }
    expect(await logins().aws(login)).toMatchObject({ accessKeyId: 'ASIAREADER' })
  })

  test('a role that AWS refuses is an error that names role and account', async () => {
    const refused = await account('aws-refused', roleOf('forbidden'))
    await expect(logins().aws({ account: refused, region: 'eu-west-1', signal })).rejects.toThrow(
      `AWS refused arn:aws:iam::123456789012:role/forbidden to ServiceAccount "${namespace.name}/aws-refused": Not authorized`,
    )
  })

  test('without a region, an account is an error that says to set it', async () => {
    const reader = await account('aws-reader', roleOf('reader'))
    await expect(logins().aws({ account: reader, signal })).rejects.toThrow('needs a region')
  })
})

describe('Azure', () => {
  const identity = {
    'azure.workload.identity/tenant-id': TENANT,
    'azure.workload.identity/client-id': CLIENT,
  }

  test('without an account, the token is that of the pod', async () => {
    const { token } = await logins().azure({ scope: VAULT, signal })
    expect(token).toBe(`azure:${cloud.environment.azure.AZURE_CLIENT_ID}:${VAULT}`)
  })

  test('with an account, it is that of the client that it is annotated with', async () => {
    const reader = await account('azure-reader', identity)
    const { token } = await logins().azure({ account: reader, scope: VAULT, signal })
    expect(token).toBe(`azure:${CLIENT}:${VAULT}`)
    expect(cloud.state.asked).toEqual([`entra token of ${CLIENT} in ${TENANT} for ${VAULT}`])
  })

  test('an account without a tenant is an error that names the annotation', async () => {
    const half = await account('azure-half', { 'azure.workload.identity/client-id': CLIENT })
    await expect(logins().azure({ account: half, scope: VAULT, signal })).rejects.toThrow(
      `ServiceAccount "${namespace.name}/azure-half" has no annotation azure.workload.identity/tenant-id`,
    )
  })
})

describe('Google Cloud', () => {
  const provider = { 'gcp.auth.fluxcd.io/workload-identity-provider': PROVIDER }
  const email = { 'iam.gke.io/gcp-service-account': 'reader@shop.iam.gserviceaccount.com' }

  test('without an account, the token is that of the pod', async () => {
    expect(await logins().gcp({ signal })).toMatchObject({ token: 'gcp:pod' })
  })

  test('with an account and a provider, it is that of the account itself', async () => {
    const reader = await account('gcp-reader', provider)
    expect(await logins().gcp({ account: reader, signal })).toMatchObject({
      token: `gcp:system:serviceaccount:${namespace.name}:gcp-reader`,
    })
    expect(cloud.state.asked).toEqual([`gcp exchange for //iam.googleapis.com/${PROVIDER}`])
  })

  test('with a Google service account, it is that one’s', async () => {
    const acting = await account('gcp-acting', { ...provider, ...email })
    expect(await logins().gcp({ account: acting, signal })).toMatchObject({
      token: 'gcp:reader@shop.iam.gserviceaccount.com',
    })
  })

  test('on GKE, the cluster is the provider', async () => {
    const onGke = await account('gcp-gke', email)
    await logins().gcp({ account: onGke, signal })
    expect(cloud.state.asked[0]).toBe(
      'gcp exchange for identitynamespace:shop.svc.id.goog:https://container.googleapis.com/v1/projects/shop/locations/europe-west1/clusters/main',
    )
  })

  test('a provider that is no name of one is an error with an example', async () => {
    const wrong = await account('gcp-wrong', {
      'gcp.auth.fluxcd.io/workload-identity-provider': 'https://evil.example',
    })
    await expect(logins().gcp({ account: wrong, signal })).rejects.toThrow(
      'must be like projects/1234567890/',
    )
  })
})

describe('what is kept', () => {
  test('those who ask at once, and later, share one login; shortly before its end there is a new one', async () => {
    let now = Date.now()
    const shared = logins({ now: () => now })
    await Promise.all([shared.gcp({ signal }), shared.gcp({ signal })])
    await shared.gcp({ signal })
    expect(cloud.state.asked).toEqual(['gcp metadata token'])
    now += 3_000_000
    await shared.gcp({ signal })
    expect(cloud.state.asked).toHaveLength(2)
  })

  test('an account that is deleted is an error at once', async () => {
    const shared = logins()
    const gone = await account('gone', {
      'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/reader',
    })
    await shared.aws({ account: gone, region: 'eu-west-1', signal })
    await kube.delete({ group: '', version: 'v1', kind: 'ServiceAccount' }, gone)
    await expect(shared.aws({ account: gone, region: 'eu-west-1', signal })).rejects.toThrow('does not exist')
  })

  test('an account that was deleted and made again is another one', async () => {
    const { requestToken } = await import('./service-account.ts')
    const again = await account('again', {})
    const asking = requestToken(
      kube,
      { ...again, uid: 'of-before', annotations: {} },
      'sts.amazonaws.com',
      signal,
    )
    await expect(asking).rejects.toThrow('UID')
  })

  test('one who gives up does not take the login from the others', async () => {
    const shared = logins()
    const impatient = new AbortController()
    const [given, up] = [shared.gcp({ signal }), shared.gcp({ signal: impatient.signal })]
    impatient.abort(new Error('no time'))
    await expect(up).rejects.toThrow('no time')
    expect(await given).toMatchObject({ token: 'gcp:pod' })
  })
})

test('without the gate, an account is refused and no token is asked for', async () => {
  const reader = await account('gated', {
    'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/reader',
  })
  const asking = logins({ objectLevel: false }).aws({ account: reader, region: 'eu-west-1', signal })
  await expect(asking).rejects.toMatchObject({ code: 'FeatureGateDisabled' })
  expect(cloud.state.asked).toEqual([])
})
