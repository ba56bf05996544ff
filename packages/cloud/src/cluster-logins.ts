import { awsAddress } from './aws.ts'
import type { AccessToken } from './azure.ts'
import type { CloudLogins, CloudProvider } from './cloud-logins.ts'
import { aks } from './clusters/aks.ts'
import type { CloudCluster, ClusterEndpoints, ClusterProvider, ClusterServer } from './clusters/cluster.ts'
import { eks } from './clusters/eks.ts'
import { gke } from './clusters/gke.ts'

const ENDPOINTS: ClusterEndpoints = {
  eks: (region) => awsAddress('eks', region),
  azure: 'https://management.azure.com',
  gcp: 'https://container.googleapis.com',
}

/** Ways to the API servers of clusters that clouds run. Every method throws CloudError. */
export class ClusterLogins {
  private readonly providers: Readonly<Record<CloudProvider, ClusterProvider>>

  /** @param endpoints for tests */
  constructor(logins: CloudLogins, now: () => number, endpoints: ClusterEndpoints = ENDPOINTS) {
    this.providers = {
      aws: eks(logins, endpoints, now),
      azure: aks(logins, endpoints),
      gcp: gke(logins, endpoints),
    }
  }

  /**
   * Where the API server is. The cloud is asked, and an address that is given must be the cluster's: else whoever gives it
   * could have the identity of this service sent anywhere. Only what goes there as an account of their own is theirs to lead.
   */
  async server(cluster: CloudCluster, signal: AbortSignal): Promise<ClusterServer> {
    const { address, ca, account } = cluster
    if (account !== undefined && address !== undefined && ca !== undefined) return { server: address, ca }
    return this.providers[cluster.provider].describe(cluster, signal)
  }

  /** What the API server takes as a bearer token. */
  token(cluster: CloudCluster, signal: AbortSignal): Promise<AccessToken> {
    return this.providers[cluster.provider].token(cluster, signal)
  }
}
