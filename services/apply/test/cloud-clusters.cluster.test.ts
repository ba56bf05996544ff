import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connectKube, type KubeClient } from '@setpoint/kube'
import {
  accountOfToken,
  type CloudServer,
  type ControlPlane,
  type Endpoint,
  startCloudServer,
  startControlPlane,
  startEndpoint,
  temporaryDirectory,
} from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, dataOf, type Setup, startSetup } from './harness.ts'

const CLIENT = '44444444-4444-4444-4444-444444444444'
const ACCOUNTS = {
  generic: {},
  aws: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/deployer' },
  azure: {
    'azure.workload.identity/tenant-id': '33333333-3333-3333-3333-333333333333',
    'azure.workload.identity/client-id': CLIENT,
  },
}
const CLUSTERS = {
  aws: 'arn:aws:eks:eu-west-1:123456789012:cluster/main',
  azure: '/subscriptions/1/resourceGroups/shop/providers/Microsoft.ContainerService/managedClusters/main',
}

let setup: Setup
let cloud: CloudServer
let webhook: Endpoint
let plane: ControlPlane
let remote: KubeClient
const stack = new AsyncDisposableStack()

/** A second API server, which knows the tokens of the first one and of two clouds by a webhook, as those of EKS do. */
beforeAll(async () => {
  cloud = stack.use(await startCloudServer({ whoIs }))
  webhook = stack.use(
    await startEndpoint(async (_request, body) => {
      const { spec } = JSON.parse(body) as { spec: { token: string } }
      const username = await userOf(spec.token)
      const status =
        username === undefined ? { authenticated: false } : { authenticated: true, user: { username } }
      return { body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status } }
    }),
  )
  plane = stack.use(await startControlPlane({ tokenWebhook: `http://127.0.0.1:${webhook.port}` }))
  const trusted = join(stack.use(await temporaryDirectory('cloud')).path, 'ca.pem')
  await writeFile(trusted, cloud.caPem)
  const { aws, azure } = cloud.environment
  const env = { ...aws, ...azure, NODE_EXTRA_CA_CERTS: trusted }
  setup = stack.use(await startSetup(['--object-level-workload-identity=true'], { env }))
  remote = stack.use(await connectKube({ kubeconfig: plane.kubeconfig }))
  await remote.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: setup.namespace } })
  for (const [name, annotations] of Object.entries(ACCOUNTS))
    await setup.kube.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace: setup.namespace, name, annotations },
    })
  await allow(['generic-user', 'arn:aws:iam::123456789012:role/deployer', CLIENT])
})
afterAll(() => stack.disposeAsync())

async function userOf(token: string): Promise<string | undefined> {
  const who = await whoIs(token, plane.url)
  if (who === `system:serviceaccount:${setup.namespace}:generic`) return 'generic-user'
  if (token === `azure:${CLIENT}:6dae42f8-4368-4678-94ff-3960e28e3630/.default`) return CLIENT
  return token.startsWith('k8s-aws-v1.')
    ? roleIn(Buffer.from(token.slice(11), 'base64url').toString())
    : undefined
}

/** AWS itself would be asked this question; it must be for this cluster, and of the role. */
function roleIn(question: string): string | undefined {
  const { host, searchParams } = new URL(question)
  const isAsked =
    host === 'sts.eu-west-1.amazonaws.com' &&
    searchParams.get('Action') === 'GetCallerIdentity' &&
    searchParams.get('X-Amz-SignedHeaders')?.split(';').includes('x-k8s-aws-id') === true &&
    searchParams.get('X-Amz-Expires') === '60' &&
    /^[0-9a-f]{64}$/.test(searchParams.get('X-Amz-Signature') ?? '')
  const key = searchParams.get('X-Amz-Credential')?.split('/')[0]
  return isAsked && key === 'ASIADEPLOYER' ? 'arn:aws:iam::123456789012:role/deployer' : undefined
}

const whoIs = (token: string, audience: string) => accountOfToken(setup.kube, token, audience)

async function allow(users: string[]): Promise<void> {
  const metadata = { name: 'deployers' }
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }]
  await remote.create({ apiVersion, kind: 'ClusterRole', metadata, rules })
  await remote.create({
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'deployers' },
    subjects: users.map((name) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name })),
  })
}

async function createMap(name: string, data: Record<string, string>): Promise<void> {
  const metadata = { namespace: setup.namespace, name }
  await setup.kube.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data })
}

test.each([
  ['generic', {}],
  ['aws', { cluster: CLUSTERS.aws }],
  ['azure', { cluster: CLUSTERS.azure }],
])(
  'provider %s: objects go to the other cluster, and are healed there, as the account of the ConfigMap',
  async (provider, data) => {
    const ca = await readFile(plane.caFile, 'utf8')
    await createMap(`to-${provider}`, {
      provider,
      address: plane.url,
      'ca.crt': ca,
      serviceAccountName: provider,
      ...data,
    })
    const object = configMap(setup.namespace, `by-${provider}`)
    await setup.sync(`by-${provider}`, [object], { kubeConfig: { configMapRef: { name: `to-${provider}` } } })
    const there = async () =>
      dataOf(await remote.get({ group: '', version: 'v1', kind: 'ConfigMap' }, object.metadata))
    expect(await there()).toBe('value')
    expect(await setup.live(object)).toBeUndefined()
    await remote.mergePatch({ group: '', version: 'v1', kind: 'ConfigMap' }, object.metadata, {
      data: { key: 'edited' },
    })
    await expect.poll(there, { timeout: 20_000 }).toBe('value')
  },
)

test.each([
  [
    'an unknown provider',
    { provider: 'oracle' },
    "provider must be aws, azure, gcp or generic, not 'oracle'",
  ],
  ['a cluster that is none', { provider: 'aws', cluster: 'main' }, 'cluster must be like arn:aws:eks:'],
  [
    'an address without TLS',
    { provider: 'gcp', cluster: 'projects/a/locations/b/clusters/c', address: 'http://a' },
    'address must be the https:// URL',
  ],
  [
    'an account that is not there',
    { provider: 'aws', cluster: CLUSTERS.aws, serviceAccountName: 'nobody' },
    'does not exist',
  ],
  [
    'an account without a role',
    { provider: 'aws', cluster: CLUSTERS.aws, serviceAccountName: 'generic' },
    'has no annotation eks.amazonaws.com/role-arn',
  ],
])('a ConfigMap with %s is refused by name, and nothing is applied', async (what, data, problem) => {
  const name = what.replaceAll(' ', '-').toLowerCase()
  await createMap(name, data)
  await setup.create(name, { kubeConfig: { configMapRef: { name } } })
  await setup.render(name, [configMap(setup.namespace, `${name}-object`)])
  const failed = await setup.untilReady(name, 'False', 'ReconciliationFailed')
  const { message } = conditionOf(failed, 'Ready') ?? {}
  expect(message).toContain(`spec.kubeConfig: ConfigMap ${setup.namespace}/${name}: `)
  expect(message).toContain(problem)
  expect(await setup.live(configMap(setup.namespace, `${name}-object`))).toBeUndefined()
})

test('an account to which the cloud gives no token is named, and what was applied stays', async () => {
  const ca = await readFile(plane.caFile, 'utf8')
  const data = { provider: 'aws', cluster: CLUSTERS.aws, address: plane.url, 'ca.crt': ca }
  await createMap('changing', { ...data, serviceAccountName: 'aws' })
  const object = configMap(setup.namespace, 'changing-object')
  await setup.sync('changing', [object], { kubeConfig: { configMapRef: { name: 'changing' } } })
  await setup.kube.mergePatch(
    { group: '', version: 'v1', kind: 'ConfigMap' },
    { namespace: setup.namespace, name: 'changing' },
    { data: { serviceAccountName: 'generic' } },
  )
  await setup.render('changing', [], { revision: 'r2' })
  const failed = await setup.untilReady('changing', 'False', 'ReconciliationFailed')
  expect(conditionOf(failed, 'Ready')?.message).toMatch(
    /has no annotation eks.amazonaws.com\/role-arn.*; nothing of it was changed or pruned/,
  )
  expect(await remote.get({ group: '', version: 'v1', kind: 'ConfigMap' }, object.metadata)).toBeDefined()
})

test('no token is in the logs', () => {
  expect(setup.service.logs()).not.toMatch(/k8s-aws-v1|azure:44444444|eyJ/)
})
