import { createHash, createPrivateKey, sign } from 'node:crypto'
import { GitError } from './errors.ts'
import type { GitCredentials, RemoteOptions } from './remote-options.ts'
import { codeOf } from './translate-error.ts'
import { bytesOf, openTransport } from './transport.ts'

/** A GitHub App as the Secret of a GitRepository describes it. */
export interface GitHubApp {
  appId: string
  /** One of the two says where the app is installed. */
  installationId?: string
  owner?: string
  /** PEM of an RSA key. */
  privateKey: string
  /** Of the API. Default `https://api.github.com`. */
  baseUrl?: string
}

/** How the API is reached. */
export type ApiOptions = Omit<RemoteOptions, 'url' | 'auth' | 'ssh'>

const DEFAULT_BASE_URL = 'https://api.github.com'
/** A token this close to its end is replaced. */
const SPARE_MS = 5 * 60_000
const MAX_PAGES = 20
const PER_PAGE = 100
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

interface Token {
  token: string
  askedAt: number
  expiresAt: number
}

/** Gets installation tokens of GitHub Apps and keeps each until shortly before it ends. One for a process. */
export class GitHubApps {
  private readonly tokens = new Map<string, Token>()
  private readonly running = new Map<string, Promise<Token>>()
  /** Milliseconds since the epoch. */
  private readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  /** What to log in to Git with. @throws GitError */
  async credentials(app: GitHubApp, options: ApiOptions): Promise<GitCredentials> {
    const key = keyOf(app)
    const known = this.tokens.get(key)
    // After a clock went back, nobody knows how old a token is.
    const isGood =
      known !== undefined && known.askedAt <= this.now() && known.expiresAt - SPARE_MS > this.now()
    const { token } = isGood ? known : await this.renew(key, app, options)
    return { username: 'x-access-token', password: token }
  }

  private renew(key: string, app: GitHubApp, options: ApiOptions): Promise<Token> {
    const running = this.running.get(key)
    if (running !== undefined) return running
    this.dropExpired()
    const asking = new GitHubApi(app, options, this.now)
      .token()
      .then((token) => {
        this.tokens.set(key, token)
        return token
      })
      .finally(() => this.running.delete(key))
    this.running.set(key, asking)
    return asking
  }

  private dropExpired(): void {
    for (const [key, { expiresAt }] of this.tokens) if (expiresAt <= this.now()) this.tokens.delete(key)
  }
}

class GitHubApi {
  private readonly app: GitHubApp
  private readonly options: ApiOptions
  private readonly baseUrl: string
  private readonly now: () => number

  constructor(app: GitHubApp, options: ApiOptions, now: () => number) {
    this.app = app
    this.options = options
    this.baseUrl = (app.baseUrl ?? DEFAULT_BASE_URL).replace(/\/+$/, '')
    this.now = now
  }

  async token(): Promise<Token> {
    const id = this.app.installationId ?? (await this.installation())
    const askedAt = this.now()
    const answer = await this.ask('POST', `/app/installations/${encodeURIComponent(id)}/access_tokens`)
    const { token, expires_at: expiresAt } = answer as { token?: unknown; expires_at?: unknown }
    const end = Date.parse(String(expiresAt))
    if (typeof token !== 'string' || Number.isNaN(end)) throw this.nonsense()
    return { token, askedAt, expiresAt: end }
  }

  private async installation(): Promise<string> {
    const owner = this.app.owner ?? ''
    for (let page = 1; page <= MAX_PAGES; page += 1) {
      const found = await this.ask('GET', `/app/installations?per_page=${PER_PAGE}&page=${page}`)
      if (!Array.isArray(found)) throw this.nonsense()
      const installations = found as { id?: number; account?: { login?: string } }[]
      const own = installations.find(({ account }) => account?.login?.toLowerCase() === owner.toLowerCase())
      if (own?.id !== undefined) return String(own.id)
      if (found.length < PER_PAGE) break
    }
    throw new GitError(
      'AuthenticationFailed',
      `the GitHub App ${this.app.appId} is not installed for "${owner}"`,
    )
  }

  private async ask(method: string, path: string): Promise<unknown> {
    const url = `${this.baseUrl}${path}`
    if (!/^https?:/.test(url))
      throw new GitError('ProtocolError', 'githubAppBaseURL is not an http or https URL')
    await using api = await openTransport({ ...this.options, url: this.baseUrl, maxBytes: MAX_ANSWER_BYTES })
    const headers = { authorization: `Bearer ${this.proof()}`, accept: 'application/vnd.github+json' }
    const answer = await api.request({ url, method, headers })
    const bytes = await bytesOf(answer)
    if (answer.statusCode >= 300) throw this.refusal(answer.statusCode)
    try {
      return JSON.parse(bytes.toString('utf8'))
    } catch {
      throw this.nonsense()
    }
  }

  /** A short-lived JSON Web Token that the app signs itself. */
  private proof(): string {
    const seconds = Math.floor(this.now() / 1000)
    const claims = { iat: seconds - 60, exp: seconds + 540, iss: this.app.appId }
    const [head, payload] = [{ alg: 'RS256', typ: 'JWT' }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    )
    const signed = `${head}.${payload}`
    try {
      const signature = sign('RSA-SHA256', Buffer.from(signed), createPrivateKey(this.app.privateKey))
      return `${signed}.${signature.toString('base64url')}`
    } catch (cause) {
      throw new GitError(
        'AuthenticationFailed',
        `githubAppPrivateKey is not a private key: ${codeOf(cause) ?? ''}`,
      )
    }
  }

  private refusal(status: number): GitError {
    const what = `${this.baseUrl} gave no token for the GitHub App ${this.app.appId} (HTTP ${status})`
    return new GitError([401, 403, 404].includes(status) ? 'AuthenticationFailed' : 'ServerError', what)
  }

  private nonsense(): GitError {
    return new GitError('ProtocolError', `${this.baseUrl} does not answer like GitHub's API`)
  }
}

/** Never the private key itself. */
function keyOf({ privateKey, ...rest }: GitHubApp): string {
  return createHash('sha256')
    .update(JSON.stringify({ ...rest, privateKey }))
    .digest('hex')
}
