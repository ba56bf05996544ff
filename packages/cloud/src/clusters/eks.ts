import { AwsClient } from 'aws4fetch'
import { awsAddress, awsKeys } from '../aws.ts'
import type { CloudLogins } from '../cloud-logins.ts'
import { ask } from './ask.ts'
import {
  type CloudCluster,
  type ClusterEndpoints,
  type ClusterProvider,
  partsOf,
  pemOf,
  serverOf,
} from './cluster.ts'

const ARN = /^arn:aws[\w-]*:eks:([a-z0-9-]+):\d{1,30}:cluster\/([\w-]{1,100})$/
const EXAMPLE = 'arn:aws:eks:eu-west-1:123456789012:cluster/main'
/** EKS takes a token for 15 minutes, whatever is in it. */
const TOKEN_MS = 14 * 60_000

/** Clusters of Amazon EKS. A token is a signed question to AWS who asks, for this cluster alone. */
export function eks(
  logins: CloudLogins,
  endpoints: Pick<ClusterEndpoints, 'eks'>,
  now: () => number,
): ClusterProvider {
  const clientFor = async (
    { account }: CloudCluster,
    region: string,
    service: string,
    signal: AbortSignal,
  ) => {
    return new AwsClient({ ...awsKeys(await logins.aws({ account, region, signal })), region, service })
  }
  return {
    describe: async (cluster, signal) => {
      const [region = '', name = ''] = partsOf(cluster, ARN, EXAMPLE)
      const client = await clientFor(cluster, region, 'eks', signal)
      const { url, headers } = await client.sign(`${endpoints.eks(region)}/clusters/${name}`)
      const what = `the description of EKS cluster ${cluster.cluster}`
      const answer = await ask(what, url, { headers: Object.fromEntries(headers), signal })
      const { endpoint = '', certificateAuthority } = (answer as EksAnswer).cluster ?? {}
      return serverOf(cluster, [{ server: endpoint, ca: pemOf(certificateAuthority?.data) }])
    },
    token: async (cluster, signal) => {
      const [region = '', name = ''] = partsOf(cluster, ARN, EXAMPLE)
      const expiresAt = now() + TOKEN_MS
      const client = await clientFor(cluster, region, 'sts', signal)
      const question = `${awsAddress('sts', region)}/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60`
      const { url } = await client.sign(question, {
        headers: { 'x-k8s-aws-id': name },
        aws: { signQuery: true },
      })
      return { token: `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`, expiresAt }
    },
  }
}

interface EksAnswer {
  cluster?: { endpoint?: string; certificateAuthority?: { data?: string } }
}
