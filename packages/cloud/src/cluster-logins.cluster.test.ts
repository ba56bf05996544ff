import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { connectKube, type KubeClient } from '@setpoint/kube'
import {
  type Answer,
  type CloudServer,
  type Endpoint,
  sharedCluster,
  startCloudServer,
  startEndpoint,
} from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type CloudCluster, CloudLogins, ClusterLogins } from './index.ts'

const SERVER = 'https://cluster.example.com'
const PEM = '-----BEGIN CERTIFICATE-----'
const CLUSTERS: readonly CloudCluster[] = [
  { provider: 'aws', cluster: 'arn:aws:eks:eu-west-1:123456789012:cluster/main' },
  {
    provider: 'azure',
    cluster: '/subscriptions/1/resourceGroups/shop/providers/Microsoft.ContainerService/managedClusters/main',
  },
  { provider: 'gcp', cluster: 'projects/shop/locations/europe-west1/clusters/main' },
]

let kube: KubeClient
let cloud: CloudServer
let api: Endpoint
let logins: ClusterLogins
const signal = new AbortController().signal
const trusted = getCACertificates('default')

beforeAll(async () => {
  kube = await connectKube({ kubeconfig: (await sharedCluster()).kubeconfig })
  cloud = await startCloudServer()
  api = await startEndpoint(({ url = '', headers }) => describeCluster(url, String(headers.authorization)))
  setDefaultCACertificates([...trusted, cloud.caPem])
  const { aws, azure, gcp } = cloud.environment
  for (const [name, value] of Object.entries({ ...aws, ...azure, ...gcp })) vi.stubEnv(name, value)
  const here = `http://127.0.0.1:${api.port}`
  const clouds = new CloudLogins({ kube, now: Date.now, objectLevel: true })
  logins = new ClusterLogins(clouds, Date.now, { eks: () => here, azure: here, gcp: here })
})
afterAll(async () => {
  vi.unstubAllEnvs()
  setDefaultCACertificates(trusted)
  await api?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
  await kube?.[Symbol.asyncDispose]()
})

/** The interfaces of EKS, AKS and GKE, as far as they say where a cluster is. */
function describeCluster(url: string, authorization: string): Answer {
  const ca = Buffer.from(PEM).toString('base64')
  if (
    url === '/clusters/main' &&
    /^AWS4-HMAC-SHA256 Credential=ASIAPOD\/\d+\/eu-west-1\/eks\//.test(authorization)
  )
    return { body: { cluster: { endpoint: SERVER, certificateAuthority: { data: ca } } } }
  if (url.startsWith('/v1/projects/shop/') && authorization === 'Bearer gcp:pod')
    return { body: { endpoint: 'cluster.example.com', masterAuth: { clusterCaCertificate: ca } } }
  if (!authorization.startsWith('Bearer azure:22222222')) return { status: 403 }
  if (!url.includes('/listClusterUserCredential')) return { body: { properties: { aadProfile: {} } } }
  const kubeconfig = { clusters: [{ cluster: { server: SERVER, 'certificate-authority-data': ca } }] }
  return { body: { kubeconfigs: [{ value: Buffer.from(JSON.stringify(kubeconfig)).toString('base64') }] } }
}

test.each(CLUSTERS)('$provider says where a cluster is, and gives a token for it', async (cluster) => {
  expect(await logins.server(cluster, signal)).toEqual({ server: SERVER, ca: PEM })
  const { token, expiresAt } = await logins.token(cluster, signal)
  expect(token).toMatch(/^(k8s-aws-v1\.|azure:22222222-.*:6dae42f8-|gcp:pod$)/)
  expect(expiresAt).toBeGreaterThan(Date.now())
})

test.each(CLUSTERS)(
  '$provider: the identity of the service goes to no address that is not the cluster’s',
  async (cluster) => {
    const elsewhere = { ...cluster, address: 'https://elsewhere.example.com', ca: PEM }
    await expect(logins.server(elsewhere, signal)).rejects.toThrow(
      `is not at the address https://elsewhere.example.com, but at ${SERVER}`,
    )
    expect(await logins.server({ ...cluster, address: `${SERVER}:443/` }, signal)).toMatchObject({
      server: SERVER,
    })
  },
)

test.each(CLUSTERS)('$provider: a name that is none is refused before anything is asked', async (cluster) => {
  cloud.state.asked.length = 0
  await expect(logins.server({ ...cluster, cluster: '../main' }, signal)).rejects.toThrow(
    'cluster must be like',
  )
  expect(cloud.state.asked).toEqual([])
})
