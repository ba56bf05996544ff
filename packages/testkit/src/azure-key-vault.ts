import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt } from 'node:crypto'
import { certificateAuthority } from './certificate.ts'
import { type Answer, startEndpoint } from './http-endpoint.ts'

/** The application that the endpoint knows. */
export const AZURE_CLIENT = { tenantId: 'fleet', clientId: 'reader', clientSecret: 'correct-horse' } as const

/** An endpoint that speaks as much of Entra ID and of Azure Key Vault as sops needs for a key. */
export interface AzureKeyVault extends AsyncDisposable {
  /** To be trusted by who connects. */
  caPem: string
  /** Entra ID. */
  authorityHost: string
  /** On a name that must be made to lead to 127.0.0.1. */
  vaultUrl: string
  /** The same server on a name that is no vault of Azure's. */
  strangerUrl: string
  version: string
  /** As sops writes it into a file: the key `fleet` encrypts a data key. */
  encrypt(dataKey: Uint8Array): string
  /** Of each token that was asked for: by whom. */
  logins: string[]
}

const TOKEN = 'entra-token'

export async function startAzureKeyVault(): Promise<AzureKeyVault> {
  const authority = certificateAuthority('azure')
  const names = ['127.0.0.1', 'fleet.vault.test', 'vault.stranger.test']
  const pair = authority.issue({ commonName: 'azure', server: names })
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
  const logins: string[] = []
  const base = () => `https://127.0.0.1:${endpoint.port}`
  const login = (body: string): Answer => {
    const form = new URLSearchParams(body)
    logins.push(form.get('client_id') ?? '')
    if (form.get('client_secret') === AZURE_CLIENT.clientSecret)
      return { body: { token_type: 'Bearer', expires_in: 3600, access_token: TOKEN } }
    const error_description = `AADSTS7000215: Invalid client secret provided: ${form.get('client_secret')}`
    return { status: 401, body: { error: 'invalid_client', error_description } }
  }
  const decrypt = (name: string, body: string): Answer => {
    if (name !== 'fleet') return { status: name === 'forbidden' ? 403 : 404, body: { error: { code: 'No' } } }
    const { value } = JSON.parse(body) as { value: string }
    const plain = privateDecrypt({ key: privateKey, ...padding }, Buffer.from(value, 'base64url'))
    return { body: { kid: name, value: plain.toString('base64url') } }
  }
  const endpoint = await startEndpoint(({ url = '', headers }, body) => {
    if (url.includes('/.well-known/openid-configuration')) return { body: configuration(base()) }
    if (url.includes('/oauth2/v2.0/token')) return login(body)
    const name = /^\/keys\/([^/]+)\/v1\/decrypt/.exec(url)?.[1] ?? ''
    if (headers.authorization === undefined) return challenge(base())
    return headers.authorization === `Bearer ${TOKEN}` ? decrypt(name, body) : { status: 401 }
  }, pair)
  return {
    caPem: authority.pem,
    authorityHost: base(),
    vaultUrl: `https://fleet.vault.test:${endpoint.port}`,
    strangerUrl: `https://vault.stranger.test:${endpoint.port}`,
    version: 'v1',
    encrypt: (dataKey) => publicEncrypt({ key: publicKey, ...padding }, dataKey).toString('base64url'),
    logins,
    [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose](),
  }
}

/** Where to get a token, and what for. */
function challenge(base: string): Answer {
  const bearer = `Bearer authorization="${base}/${AZURE_CLIENT.tenantId}", resource="https://vault.test"`
  return { status: 401, headers: { 'www-authenticate': bearer }, body: { error: {} } }
}

function configuration(base: string): object {
  const tenant = `${base}/${AZURE_CLIENT.tenantId}`
  return {
    issuer: `${tenant}/v2.0`,
    authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
    token_endpoint: `${tenant}/oauth2/v2.0/token`,
    jwks_uri: `${tenant}/discovery/v2.0/keys`,
  }
}
