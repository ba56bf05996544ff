import { createHash, createHmac } from 'node:crypto'
import type { CloudAnswer, CloudRequest, CloudState } from './cloud-server.ts'

const ECR = 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken'
const ECR_PUBLIC = 'SpencerFrontendService.GetAuthorizationToken'

/** The credentials of EKS Pod Identity, the Query API of STS, and the JSON API of ECR. */
export async function answerAws(state: CloudState, request: CloudRequest): Promise<CloudAnswer | undefined> {
  if (request.path === '/v1/credentials') return podIdentity(state, request)
  if (request.method !== 'POST' || request.path !== '/') return undefined
  const target = request.headers['x-amz-target']
  if (target === ECR || target === ECR_PUBLIC) return registryToken(state, request, target)
  const query = new URLSearchParams(request.body)
  if (query.get('Action') === 'AssumeRoleWithLDAPIdentity') return ldap(state, query)
  return query.get('Action') === 'AssumeRoleWithWebIdentity' ? assumeRole(state, query) : undefined
}

function podIdentity(state: CloudState, { headers }: CloudRequest): CloudAnswer {
  state.asked.push('pod identity')
  if (headers.authorization !== 'pod') return { status: 401, body: { message: 'no token' } }
  return {
    status: 200,
    body: {
      AccessKeyId: 'ASIAPOD',
      SecretAccessKey: state.secret ?? 'secret-of-the-pod',
      Token: 'session-of-the-pod',
      Expiration: expiration(state),
    },
  }
}

async function assumeRole(state: CloudState, query: URLSearchParams): Promise<CloudAnswer> {
  state.asked.push('sts AssumeRoleWithWebIdentity')
  const who = await state.whoIs(query.get('WebIdentityToken') ?? '', 'sts.amazonaws.com')
  const role = query.get('RoleArn')?.split('/').at(-1) ?? ''
  if (who === undefined || role === 'forbidden')
    return {
      status: 400,
      body: `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>`,
    }
  const result = [
    `<SubjectFromWebIdentityToken>${who}</SubjectFromWebIdentityToken>`,
    `<Credentials><AccessKeyId>ASIA${role.toUpperCase()}</AccessKeyId>`,
    `<SecretAccessKey>${state.secret ?? `secret-of-${role}`}</SecretAccessKey>`,
    `<SessionToken>${query.get('RoleSessionName')}</SessionToken>`,
    `<Expiration>${expiration(state)}</Expiration></Credentials>`,
  ].join('')
  return {
    status: 200,
    body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>${result}</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
  }
}

/** As MinIO answers, for the user ada. */
function ldap(state: CloudState, query: URLSearchParams): CloudAnswer {
  state.asked.push(`ldap ${query.get('LDAPUsername')}`)
  if (query.get('LDAPUsername') !== 'ada' || query.get('LDAPPassword') !== state.secret)
    return {
      status: 400,
      body: '<ErrorResponse><Error><Code>InvalidParameterValue</Code></Error></ErrorResponse>',
    }
  const credentials = `<Credentials><AccessKeyId>ASIAPOD</AccessKeyId><SecretAccessKey>${state.secret}</SecretAccessKey><Expiration>${expiration(state)}</Expiration><SessionToken>of-ada</SessionToken></Credentials>`
  return {
    status: 200,
    body: `<?xml version="1.0"?><AssumeRoleWithLDAPIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithLDAPIdentityResult>${credentials}</AssumeRoleWithLDAPIdentityResult></AssumeRoleWithLDAPIdentityResponse>`,
  }
}

/** The password of the user AWS of a registry; the key that signed the request is in the log. */
function registryToken(state: CloudState, { headers }: CloudRequest, target: string): CloudAnswer {
  const [, keyId, region, service] =
    /Credential=([^/]+)\/\d+\/([^/]+)\/([^/]+)\//.exec(headers.authorization ?? '') ?? []
  state.asked.push(`${service} GetAuthorizationToken in ${region} by ${keyId}`)
  if (keyId === undefined) return { status: 400, body: { __type: 'MissingAuthenticationTokenException' } }
  const data = {
    authorizationToken: Buffer.from(`AWS:${state.secret ?? 'password'}`).toString('base64'),
    expiresAt: Date.parse(expiration(state)) / 1000,
  }
  return {
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: { authorizationData: target === ECR ? [data] : data },
  }
}

const expiration = ({ lifeSeconds }: CloudState) => new Date(Date.now() + lifeSeconds * 1000).toISOString()

/** Whether a Git server with the API of CodeCommit lets this in: a signature of `GIT`, host and path of the repository. */
export function isCodeCommitLogin(
  authorization: string,
  repository: { host: string; path: string; region: string; username: string; secretAccessKey: string },
): boolean {
  const given = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString()
  const [, time = '', signature] = /:(\d{8}T\d{6})Z([0-9a-f]{64})$/.exec(given) ?? []
  const { host, path, region, username, secretAccessKey } = repository
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const scope = [time.slice(0, 8), region, 'codecommit', 'aws4_request']
  const request = createHash('sha256').update(`GIT\n${path}\n\nhost:${host}\n\nhost\n`).digest('hex')
  let key: string | Buffer = `AWS4${secretAccessKey}`
  for (const part of scope) key = hmac(key, part)
  const wanted = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope.join('/')}\n${request}`).toString('hex')
  return given.startsWith(`${username}:`) && signature === wanted
}
