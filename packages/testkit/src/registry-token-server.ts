import { randomUUID, sign, X509Certificate } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { certificateAuthority } from './certificate.ts'

/** Gives out tokens for a registry, as Docker's token authentication describes it. */
export interface TokenServer extends AsyncDisposable {
  /** The authority whose certificate signs tokens, for the registry. */
  caPem: string
  /** `realm`, `service` and `issuer` of the registry's configuration. */
  registrySettings: { realm: string; service: string; issuer: string }
  /** How many tokens were asked for. */
  readonly requests: number
  issue(repository: string, actions: string[]): string
  /** Tokens from now on live this long; seconds. */
  setLife(seconds: number): void
}

const SERVICE = 'registry'
const ISSUER = 'token-server'

/** Starts a token server on 127.0.0.1 that gives tokens to one user. */
export async function startTokenServer(user: { username: string; password: string }): Promise<TokenServer> {
  const authority = certificateAuthority('tokens')
  const { cert, key } = authority.issue({ commonName: 'token-server', server: ['localhost'] })
  const state = { requests: 0, lifeSeconds: 300 }
  const issue = (repository: string, actions: string[]) =>
    signedToken({ cert, key }, claims(repository, actions, state.lifeSeconds))
  const wanted = `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`
  const server = createServer((request, response) => {
    state.requests += 1
    const url = new URL(request.url ?? '/', 'http://localhost')
    const [, repository = '', actions = ''] = (url.searchParams.get('scope') ?? '').split(':')
    if (request.headers.authorization !== wanted) return response.writeHead(401).end('{}')
    const token = issue(repository, actions.split(','))
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ token, expires_in: state.lifeSeconds }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    caPem: authority.pem,
    registrySettings: { realm: `http://127.0.0.1:${port}/token`, service: SERVICE, issuer: ISSUER },
    get requests() {
      return state.requests
    },
    issue,
    setLife: (seconds) => {
      state.lifeSeconds = seconds
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function claims(repository: string, actions: string[], lifeSeconds: number) {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: ISSUER,
    sub: 'ada',
    aud: SERVICE,
    exp: now + lifeSeconds,
    nbf: now - 10,
    iat: now,
    jti: randomUUID(),
    access: [{ type: 'repository', name: repository, actions }],
  }
}

/** A JWT with the certificate that signed it. */
function signedToken({ cert, key }: { cert: string; key: string }, payload: object): string {
  const x5c = [new X509Certificate(cert).raw.toString('base64')]
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encode({ typ: 'JWT', alg: 'ES256', x5c })}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}
