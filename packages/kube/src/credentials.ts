import { readFile, stat } from 'node:fs/promises'
import { KubeConfigError } from './errors.ts'
import { type ExecCredential, runExecPlugin } from './exec-credential.ts'
import type { Authentication, Endpoint, ShortToken } from './kubeconfig.ts'

/** What proves who the client is, kept fresh. */
export interface Credentials {
  /** The headers of one request. */
  headers(): Promise<Record<string, string>>
  /** Client certificate and key that a plugin gave, for new connections. */
  certificate(): Promise<{ cert: string; key: string } | undefined>
  /** The server said 401: forget what is cached. False when asking again can't help. */
  expire(): boolean
}

/** How long a token file is trusted without a look at it. Kubelets rotate tokens well before they expire. */
const tokenFileCheckMs = 1000

/** @param environment what a credential plugin is started with */
export function makeCredentials(
  endpoint: Endpoint,
  environment: Record<string, string | undefined>,
): Credentials {
  const { authentication } = endpoint
  switch (authentication.kind) {
    case 'none':
      return fixedHeaders({})
    case 'token':
      return fixedHeaders(bearer(authentication.token))
    case 'basic':
      return fixedHeaders(basic(authentication))
    case 'tokenFile':
      return tokenFileCredentials(authentication.path)
    case 'tokenSource':
      return tokenSourceCredentials(authentication.token)
    case 'exec':
      return execCredentials(endpoint, authentication, environment)
    case 'authProvider':
      return authProviderCredentials(authentication)
  }
}

function fixedHeaders(headers: Record<string, string>): Credentials {
  const answer = Promise.resolve(headers)
  return { headers: () => answer, certificate: async () => undefined, expire: () => false }
}

function tokenFileCredentials(path: string): Credentials {
  let known: { headers: Record<string, string>; modified: number } | undefined
  let current: Promise<Record<string, string>> | undefined
  let checkAfter = 0
  const read = async (): Promise<Record<string, string>> => {
    try {
      const { mtimeMs } = await stat(path)
      if (known?.modified !== mtimeMs) {
        known = { headers: bearer((await readFile(path, 'utf8')).trim()), modified: mtimeMs }
      }
      return known.headers
    } catch (cause) {
      // A token file is away for a moment while it is replaced: the last token is still the best there is.
      if (known) return known.headers
      current = undefined
      throw new KubeConfigError(`token file ${path} can't be read`, { cause })
    }
  }
  return {
    headers() {
      const now = performance.now()
      if (current === undefined || now >= checkAfter) {
        checkAfter = now + tokenFileCheckMs
        current = read()
      }
      return current
    },
    certificate: async () => undefined,
    expire() {
      checkAfter = 0
      return true
    },
  }
}

function execCredentials(
  endpoint: Endpoint,
  authentication: Authentication & { kind: 'exec' },
  environment: Record<string, string | undefined>,
): Credentials {
  let current: Promise<ExecCredential> | undefined
  let expires = Number.POSITIVE_INFINITY
  const run = async (): Promise<ExecCredential> => {
    try {
      const credential = await runExecPlugin(authentication.exec, endpoint, environment)
      expires = credential.expires ?? Number.POSITIVE_INFINITY
      return credential
    } catch (error) {
      current = undefined
      throw error
    }
  }
  const credential = (): Promise<ExecCredential> => {
    // Wall-clock time, for that is what expirationTimestamp is in.
    if (current === undefined || Date.now() >= expires) {
      expires = Number.POSITIVE_INFINITY
      current = run()
    }
    return current
  }
  return {
    async headers() {
      const { token } = await credential()
      return token === undefined ? {} : bearer(token)
    },
    certificate: async () => (await credential()).certificate,
    expire() {
      current = undefined
      return true
    },
  }
}

/** A new token is asked for a while before the last one ends. */
const tokenMarginMs = 60_000

function tokenSourceCredentials(make: () => Promise<ShortToken>): Credentials {
  let current: Promise<ShortToken> | undefined
  let renewAt = 0
  const renew = async (): Promise<ShortToken> => {
    try {
      const made = await make()
      renewAt = made.expires - tokenMarginMs
      return made
    } catch (error) {
      current = undefined
      throw error
    }
  }
  return {
    async headers() {
      if (current === undefined || Date.now() >= renewAt) {
        renewAt = Number.POSITIVE_INFINITY
        current = renew()
      }
      return bearer((await current).token)
    },
    certificate: async () => undefined,
    expire() {
      current = undefined
      return true
    },
  }
}

/** OIDC, GCP and Azure entries of old kubeconfigs. The library is large, so it is loaded only for them. */
function authProviderCredentials(authentication: Authentication & { kind: 'authProvider' }): Credentials {
  const load = async () => {
    const { KubeConfig } = await import('@kubernetes/client-node')
    const config = new KubeConfig()
    config.loadFromString(authentication.kubeconfig)
    return config
  }
  const config = load()
  config.catch(() => undefined)
  return {
    async headers() {
      const request: { headers?: Record<string, string> } = {}
      await (await config).applyToHTTPSOptions(request)
      const value = request.headers?.Authorization
      return value === undefined ? {} : { authorization: value }
    },
    certificate: async () => undefined,
    expire: () => false,
  }
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}

function basic({ username, password }: { username: string; password: string }): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}
