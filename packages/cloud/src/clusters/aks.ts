import { parse } from 'yaml'
import type { CloudLogins } from '../cloud-logins.ts'
import { CloudError } from '../errors.ts'
import { ask } from './ask.ts'
import {
  type CloudCluster,
  type ClusterEndpoints,
  type ClusterProvider,
  type ClusterServer,
  partsOf,
  pemOf,
  serverOf,
} from './cluster.ts'

const PART = '[\\w.()-]{1,90}'
const ID = new RegExp(
  `^/subscriptions/(${PART})/resourceGroups/(${PART})/providers/Microsoft\\.ContainerService/managedClusters/(${PART})$`,
  'i',
)
const EXAMPLE =
  '/subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.ContainerService/managedClusters/NAME'
/** The application that every AKS cluster is in Entra ID. */
const AKS_SCOPE = '6dae42f8-4368-4678-94ff-3960e28e3630/.default'
const VERSION = 'api-version=2025-05-01'

/** Clusters of Azure Kubernetes Service that know the users of Entra ID. */
export function aks(logins: CloudLogins, { azure }: Pick<ClusterEndpoints, 'azure'>): ClusterProvider {
  const askManager = async (cluster: CloudCluster, path: string, method: string, signal: AbortSignal) => {
    const scope = 'https://management.core.windows.net//.default'
    const { token } = await logins.azure({ account: cluster.account, scope, signal })
    const what = `the description of AKS cluster ${cluster.cluster}`
    const url = `${azure}${cluster.cluster}${path}?${VERSION}`
    return ask(what, url, { method, headers: { authorization: `Bearer ${token}` }, signal })
  }
  return {
    describe: async (cluster, signal) => {
      partsOf(cluster, ID, EXAMPLE)
      const { properties } = (await askManager(cluster, '', 'GET', signal)) as {
        properties?: { aadProfile?: object }
      }
      if (properties?.aadProfile === undefined || properties.aadProfile === null)
        throw new CloudError(
          'HostRefused',
          `AKS cluster ${cluster.cluster} does not know the users of Microsoft Entra ID`,
        )
      const answer = (await askManager(cluster, '/listClusterUserCredential', 'POST', signal)) as {
        kubeconfigs?: { value?: string }[]
      }
      return serverOf(
        cluster,
        (answer.kubeconfigs ?? []).flatMap(({ value }) => serversIn(value ?? '')),
      )
    },
    token: (cluster, signal) => logins.azure({ account: cluster.account, scope: AKS_SCOPE, signal }),
  }
}

/** The servers of a kubeconfig in base64. */
function serversIn(value: string): ClusterServer[] {
  const { clusters } = (parse(Buffer.from(value, 'base64').toString()) ?? {}) as {
    clusters?: { cluster?: { server?: string; 'certificate-authority-data'?: string } }[]
  }
  return (clusters ?? []).map(({ cluster }) => ({
    server: cluster?.server ?? '',
    ca: pemOf(cluster?.['certificate-authority-data']),
  }))
}
