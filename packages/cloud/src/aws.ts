import { CloudError, loginFailed } from './errors.ts'
import { type KnownAccount, requiredAnnotationOf } from './service-account.ts'

/** As the SDKs of AWS take them. */
export interface AwsCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string | undefined
  expiration?: Date | undefined
}

/** Without the fields that are undefined, which the SDKs do not take. */
export function awsKeys({ accessKeyId, secretAccessKey, sessionToken }: AwsCredentials) {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
}

/** Where a service of AWS is in a region. */
export function awsAddress(service: string, region: string): string {
  return `https://${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
}

export const AWS_AUDIENCE = 'sts.amazonaws.com'

const ROLE = {
  shape: /^arn:aws[\w-]*:iam::\d{1,30}:role\/.{1,200}$/,
  example: 'arn:aws:iam::123456789012:role/reader',
}

/** The role that a ServiceAccount stands for. @throws CloudError InvalidAccount */
export function roleOf(account: KnownAccount): string {
  return requiredAnnotationOf(account, 'eks.amazonaws.com/role-arn', ROLE)
}

/** Where the token service of AWS is. */
interface TokenService {
  region: string | undefined
  endpoint: string | undefined
}

function clientConfigOf({ region, endpoint }: TokenService): { region?: string; endpoint?: string } {
  return { ...(region === undefined ? {} : { region }), ...(endpoint === undefined ? {} : { endpoint }) }
}

/** The pod's own: environment, web identity, EKS Pod Identity, the metadata service of the node. @throws CloudError */
export async function ownAwsCredentials(place: TokenService): Promise<AwsCredentials> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
  try {
    const clientConfig = clientConfigOf(place)
    return await defaultProvider(Object.keys(clientConfig).length === 0 ? {} : { clientConfig })()
  } catch (cause) {
    throw loginFailed('AWS gave no credentials to this service', cause)
  }
}

/** Those of the role, for a token of the account. @throws CloudError */
export async function assumeRole(
  account: KnownAccount,
  token: string,
  place: TokenService,
): Promise<AwsCredentials> {
  const { region } = place
  if (region === undefined)
    throw new CloudError(
      'InvalidAccount',
      `the identity of ServiceAccount "${account.namespace}/${account.name}" needs a region: set it in the object`,
    )
  const roleArn = roleOf(account)
  const { fromWebToken } = await import('@aws-sdk/credential-provider-web-identity')
  try {
    const login = {
      roleArn,
      webIdentityToken: token,
      roleSessionName: sessionName(account, region),
      clientConfig: clientConfigOf(place),
    }
    return await fromWebToken(login)()
  } catch (cause) {
    throw loginFailed(
      `AWS refused ${roleArn} to ServiceAccount "${account.namespace}/${account.name}"`,
      cause,
    )
  }
}

const MAX_SESSION_NAME = 64

/** What AWS writes into its audit log. */
function sessionName({ namespace, name }: KnownAccount, region: string): string {
  return `${name}.${namespace}.${region}.setpoint`.slice(0, MAX_SESSION_NAME)
}
