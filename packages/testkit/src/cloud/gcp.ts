import type { CloudAnswer, CloudRequest, CloudState } from './cloud-server.ts'

const METADATA: Record<string, string> = {
  'project/project-id': 'shop',
  'instance/attributes/cluster-location': 'europe-west1',
  'instance/attributes/cluster-name': 'main',
}
const ACT_AS = /^\/v1\/projects\/-\/serviceAccounts\/([^/:]+):generateAccessToken$/

/** The metadata service, the token exchange of STS and the tokens of service accounts. */
export async function answerGcp(state: CloudState, request: CloudRequest): Promise<CloudAnswer | undefined> {
  if (request.path.startsWith('/computeMetadata/v1/')) return metadata(state, request)
  if (request.path === '/v1/token') return exchange(state, new URLSearchParams(request.body))
  const email = ACT_AS.exec(request.path)?.[1]
  return email === undefined ? undefined : actAs(state, request, email)
}

function metadata(state: CloudState, { path, headers }: CloudRequest): CloudAnswer {
  if (headers['metadata-flavor'] !== 'Google') return { status: 403, body: 'no Metadata-Flavor' }
  const flavor = { 'metadata-flavor': 'Google' }
  const name = path.slice('/computeMetadata/v1/'.length)
  if (name === 'instance/service-accounts/default/token') {
    state.asked.push('gcp metadata token')
    const body = {
      access_token: state.secret ?? 'gcp:pod',
      expires_in: state.lifeSeconds,
      token_type: 'Bearer',
    }
    return { status: 200, headers: flavor, body }
  }
  const value = METADATA[name]
  if (value === undefined) return { status: 404, headers: flavor, body: 'not found' }
  return { status: 200, headers: { ...flavor, 'content-type': 'application/text' }, body: value }
}

/** The audience of the token is what the exchange is for, or the pool of the cluster on GKE. */
async function exchange(state: CloudState, form: URLSearchParams): Promise<CloudAnswer> {
  const audience = form.get('audience') ?? ''
  state.asked.push(`gcp exchange for ${audience}`)
  const wanted = /^identitynamespace:([^:]+):/.exec(audience)?.[1] ?? audience
  const who = await state.whoIs(form.get('subject_token') ?? '', wanted)
  if (who === undefined)
    return {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'The audience does not match.' },
    }
  const body = {
    access_token: state.secret ?? `gcp:${who}`,
    expires_in: state.lifeSeconds,
    token_type: 'Bearer',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  }
  return { status: 200, body }
}

function actAs(state: CloudState, { headers }: CloudRequest, email: string): CloudAnswer {
  state.asked.push(`gcp token of ${email}`)
  if (headers.authorization === undefined) return { status: 401, body: { error: { message: 'no token' } } }
  const expireTime = new Date(Date.now() + state.lifeSeconds * 1000).toISOString()
  return { status: 200, body: { accessToken: `gcp:${email}`, expireTime } }
}
