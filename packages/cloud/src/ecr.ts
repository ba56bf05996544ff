import { type AwsCredentials, awsKeys } from './aws.ts'
import { CloudError, loginFailed } from './errors.ts'
import type { RegistryPassword } from './registry-logins.ts'

export interface EcrRegistry {
  region: string
  isPublic: boolean
  isFips: boolean
}

/** The domains of AWS's partitions. */
const ECR =
  /^\d{12}\.dkr\.ecr(-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/

/** Undefined for a host that is no registry of ECR. */
export function readEcrHost(host: string): EcrRegistry | undefined {
  // Its tokens are given out in this region alone.
  if (host === 'public.ecr.aws') return { region: 'us-east-1', isPublic: true, isFips: false }
  const [, fips, region] = ECR.exec(host) ?? []
  return region === undefined ? undefined : { region, isPublic: false, isFips: fips !== undefined }
}

/** User and password for a registry, and when they end. @throws CloudError */
export async function ecrToken(
  { region, isPublic, isFips }: EcrRegistry,
  credentials: AwsCredentials,
): Promise<{ value: RegistryPassword; expiresAt: number | undefined }> {
  const options = { region, useFipsEndpoint: isFips, credentials: awsKeys(credentials) }
  try {
    const data = isPublic ? await askPublic(options) : await askPrivate(options)
    return { value: readToken(data?.authorizationToken), expiresAt: data?.expiresAt?.getTime() }
  } catch (cause) {
    throw loginFailed(`Amazon ECR gave no token in ${region}`, cause)
  }
}

type Options = { region: string; useFipsEndpoint: boolean; credentials: ReturnType<typeof awsKeys> }

async function askPrivate(options: Options) {
  const { ECRClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr')
  const client = new ECRClient(options)
  try {
    return (await client.send(new GetAuthorizationTokenCommand())).authorizationData?.[0]
  } finally {
    client.destroy()
  }
}

async function askPublic(options: Options) {
  const { ECRPUBLICClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr-public')
  const client = new ECRPUBLICClient(options)
  try {
    return (await client.send(new GetAuthorizationTokenCommand())).authorizationData
  } finally {
    client.destroy()
  }
}

/** base64 of `AWS:password`. */
function readToken(token = ''): RegistryPassword {
  const text = Buffer.from(token, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon < 1) throw new CloudError('LoginFailed', 'the answer of Amazon ECR holds no token')
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}
