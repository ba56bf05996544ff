import type { CloudAnswer, CloudRequest, CloudState } from './cloud-server.ts'

/** The token endpoint of Entra ID, and what a client reads before it asks there. */
export async function answerAzure(
  state: CloudState,
  request: CloudRequest,
): Promise<CloudAnswer | undefined> {
  const [, tenant, rest] = /^\/([^/]+)\/(.*)$/.exec(request.path) ?? []
  if (tenant === undefined) return undefined
  if (rest === 'v2.0/.well-known/openid-configuration') return discovery(tenant, request)
  return rest === 'oauth2/v2.0/token' ? token(state, tenant, new URLSearchParams(request.body)) : undefined
}

function discovery(tenant: string, { headers }: CloudRequest): CloudAnswer {
  const base = `https://${headers.host}/${tenant}`
  return {
    status: 200,
    body: {
      issuer: `${base}/v2.0`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      token_endpoint: `${base}/oauth2/v2.0/token`,
      jwks_uri: `${base}/discovery/v2.0/keys`,
    },
  }
}

/** The token says whom it is for: `azure:CLIENT:SCOPE`. */
async function token(state: CloudState, tenant: string, form: URLSearchParams): Promise<CloudAnswer> {
  const client = form.get('client_id') ?? ''
  const [scope = ''] = (form.get('scope') ?? '').split(' ')
  state.asked.push(`entra token of ${client} in ${tenant} for ${scope}`)
  const isAllowed =
    form.get('client_secret') === 'of-the-pod' ||
    form.get('client_secret') === 'of-the-tenant' ||
    (await state.whoIs(form.get('client_assertion') ?? '', 'api://AzureADTokenExchange')) !== undefined
  if (!isAllowed)
    return {
      status: 401,
      body: {
        error: 'invalid_client',
        error_description: 'AADSTS700213: No matching federated identity record found',
      },
    }
  return {
    status: 200,
    body: {
      token_type: 'Bearer',
      expires_in: state.lifeSeconds,
      access_token: state.secret ?? `azure:${client}:${scope}`,
    },
  }
}
