import { createHash } from 'node:crypto'
import type { RegistryAccess } from './access.ts'
import type { Challenge } from './challenge.ts'
import type { RegistryCredentials } from './docker-config.ts'
import { RegistryError } from './errors.ts'
import type { Budget, HttpAnswer, HttpRequest, Transport } from './transport.ts'

const MAX_TOKENS = 5_000
const DEFAULT_LIFE_MS = 60_000
const MAX_LIFE_MS = 24 * 3_600_000
/** The share of its life that a token is used for. */
const USED_SHARE = 0.8

type Bearer = Extract<Challenge, { scheme: 'bearer' }>

/** Tokens by what they were given for, until they are old. */
export class Tokens {
  private readonly transport: Transport
  private readonly uptime: () => number
  private readonly tokens = new Map<string, { value: string; until: number }>()

  constructor(transport: Transport, uptime: () => number) {
    this.transport = transport
    this.uptime = uptime
  }

  /** A token for a challenge, from before or a new one. @throws RegistryError AuthenticationFailed when it is refused. */
  async get(access: RegistryAccess, challenge: Bearer, scope: string, budget: Budget): Promise<string> {
    const key = keyOf(access.credentials, challenge, scope)
    const found = this.tokens.get(key)
    if (found !== undefined && found.until > this.uptime()) return found.value
    const answer = await this.transport.send(access, tokenRequest(access, challenge, scope), budget)
    const { value, lifeMs } = readToken(answer, new URL(challenge.realm).host)
    this.tokens.delete(key)
    this.tokens.set(key, { value, until: this.uptime() + lifeMs * USED_SHARE })
    const [oldest] = this.tokens.keys()
    if (this.tokens.size > MAX_TOKENS && oldest !== undefined) this.tokens.delete(oldest)
    return value
  }

  /** A token was refused: the next call asks for a new one. */
  forget(access: RegistryAccess, challenge: Bearer, scope: string): void {
    this.tokens.delete(keyOf(access.credentials, challenge, scope))
  }
}

/** Credentials go to the realm only over https, or where the registry itself is asked in plain HTTP. */
function tokenRequest(access: RegistryAccess, challenge: Bearer, scope: string): HttpRequest {
  const realm = URL.canParse(challenge.realm) ? new URL(challenge.realm) : undefined
  const allowed = access.insecure === true ? ['https:', 'http:'] : ['https:']
  if (realm === undefined || !allowed.includes(realm.protocol))
    throw new RegistryError('AuthenticationFailed', 'the registry names no https address to get tokens from')
  const { credentials } = access
  if (credentials !== undefined && 'identityToken' in credentials)
    return refreshRequest(realm, challenge, scope, credentials.identityToken)
  if (challenge.service !== undefined) realm.searchParams.set('service', challenge.service)
  realm.searchParams.set('scope', scope)
  return { method: 'GET', url: realm, headers: basicHeader(credentials) }
}

function refreshRequest(realm: URL, { service = '' }: Bearer, scope: string, token: string): HttpRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'setpoint',
    refresh_token: token,
    service,
    scope,
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return { method: 'POST', url: realm, headers, body: form.toString() }
}

/** `authorization: Basic …`, or nothing when there is no user. */
export function basicHeader(credentials: RegistryCredentials | undefined): Record<string, string> {
  if (credentials === undefined || !('username' in credentials)) return {}
  const { username, password } = credentials
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

/** The answer to an access token that was offered for a refresh token. @throws RegistryError */
export function readRefreshToken(answer: HttpAnswer, host: string): string {
  const { refresh_token } = readAnswer(answer, host)
  if (typeof refresh_token === 'string' && refresh_token !== '') return refresh_token
  throw new RegistryError('ProtocolError', `the answer of ${host} holds no token`)
}

function readToken(answer: HttpAnswer, host: string): { value: string; lifeMs: number } {
  const { token, access_token, expires_in } = readAnswer(answer, host)
  const value = typeof token === 'string' && token !== '' ? token : access_token
  if (typeof value !== 'string' || value === '')
    throw new RegistryError('ProtocolError', `the answer of ${host} holds no token`)
  const lifeMs = typeof expires_in === 'number' && expires_in > 0 ? expires_in * 1000 : DEFAULT_LIFE_MS
  return { value, lifeMs: Math.min(lifeMs, MAX_LIFE_MS) }
}

function readAnswer({ status, body }: HttpAnswer, host: string): Record<string, unknown> {
  if (status === 401 || status === 403)
    throw new RegistryError('AuthenticationFailed', `${host} refused the credentials (HTTP ${status})`)
  if (status !== 200) throw new RegistryError('ServerError', `${host} gave no token: HTTP ${status}`)
  return parse(body)
}

function parse(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function keyOf(credentials: RegistryCredentials | undefined, challenge: Bearer, scope: string): string {
  const identity = JSON.stringify([challenge.realm, challenge.service, scope, credentials])
  return createHash('sha256').update(identity).digest('hex')
}
