import type { AccessToken } from '../azure.ts'
import type { CloudProvider } from '../cloud-logins.ts'
import { CloudError } from '../errors.ts'
import type { Account } from '../service-account.ts'

/** A cluster that a cloud runs. */
export interface CloudCluster {
  provider: CloudProvider
  /** Its name in the cloud: an ARN, a resource id, or projects/…/locations/…/clusters/…. */
  cluster: string
  /** https:// URL of its API server, where the cluster has several or must be exactly this one. */
  address?: string | undefined
  /** PEM text of the authority of its certificate. */
  ca?: string | undefined
  /** Who goes there; this service itself when undefined. */
  account?: Account | undefined
}

/** Where the API server of a cluster is. */
export interface ClusterServer {
  server: string
  ca?: string | undefined
}

/** What one cloud knows of its clusters. */
export interface ClusterProvider {
  /** As the cloud tells. @throws CloudError */
  describe(cluster: CloudCluster, signal: AbortSignal): Promise<ClusterServer>
  /** What the API server takes. @throws CloudError */
  token(cluster: CloudCluster, signal: AbortSignal): Promise<AccessToken>
}

/** Where the interfaces of the clouds are; other ones are for tests. */
export interface ClusterEndpoints {
  eks(region: string): string
  azure: string
  gcp: string
}

/** The parts of a cluster's name. @throws CloudError saying what it must be like */
export function partsOf({ cluster }: CloudCluster, shape: RegExp, example: string): string[] {
  const [, ...parts] = shape.exec(cluster) ?? []
  if (parts.length === 0) throw new CloudError('HostRefused', `cluster must be like ${example}`)
  return parts
}

/** Takes the address that is given, when it is one of the cluster's. @throws CloudError HostRefused naming both */
export function serverOf(cluster: CloudCluster, found: ClusterServer[]): ClusterServer {
  const { address, ca } = cluster
  const chosen = found.find(({ server }) => address === undefined || isSame(server, address))
  const addresses = found.map(({ server }) => server).join(', ')
  if (chosen === undefined)
    throw new CloudError(
      'HostRefused',
      `${cluster.cluster} is not at the address ${address ?? ''}${addresses === '' ? '' : `, but at ${addresses}`}`,
    )
  return ca === undefined ? chosen : { server: chosen.server, ca }
}

function isSame(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && new URL(one).host === new URL(other).host
}

/** Certificates come in base64. */
export const pemOf = (text: string | undefined): string | undefined =>
  text === undefined || text === '' ? undefined : Buffer.from(text, 'base64').toString()
