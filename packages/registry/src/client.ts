import type { CallOptions, RegistryAccess } from './access.ts'
import { type Challenge, parseChallenge } from './challenge.ts'
import { checkDigest, type Descriptor, isDigest } from './digest.ts'
import { RegistryError } from './errors.ts'
import { HostLimiter, type HostLimits } from './host-limiter.ts'
import type { ImageName } from './image-name.ts'
import { MANIFEST_TYPES, type Manifest, readManifest } from './manifest.ts'
import { nextPage, readTagPage } from './tag-page.ts'
import { basicHeader, readRefreshToken, Tokens } from './tokens.ts'
import { type Budget, type HttpAnswer, Transport } from './transport.ts'

const DEFAULT_MAX_BYTES = 32 * 1024 * 1024
const MAX_TAGS = 500_000
const PAGE_SIZE = 1000
const DEFAULT_MAX_REDIRECTS = 3
const MAX_CHALLENGES = 5_000
/** What the answers on the way to a blob, such as tokens, may take on top of it. */
const TOKEN_BYTES = 1024 * 1024
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024
const DEFAULT_LIMITS: HostLimits = { perSecond: 50, burst: 100 }

export interface RegistryClientOptions {
  /** Milliseconds since the epoch. */
  now(): number
  /** Milliseconds of a clock that nobody sets, for rates and the life of tokens. Default performance.now. */
  uptime?(): number
  /** Rate of requests to one host. Default: 50 a second after a burst of 100. */
  limits?: HostLimits
  /** Whether registries, and where they redirect to, may be on link-local addresses. Default false. */
  allowLinkLocal?: boolean
  /** Redirects of one request that are followed. Default 3. */
  maxRedirects?: number
}

interface Asked {
  method?: 'GET' | 'HEAD'
  accept?: string
}

/** A client of every registry, by the distribution API. Connections, tokens and rates are shared by all calls. */
export class RegistryClient implements AsyncDisposable {
  private readonly transport: Transport
  private readonly tokens: Tokens
  private readonly maxRedirects: number
  /** What each repository asked for last, so that the next call brings it at once. */
  private readonly challenges = new Map<string, Challenge>()

  constructor({
    now,
    uptime = () => performance.now(),
    limits = DEFAULT_LIMITS,
    allowLinkLocal = false,
    maxRedirects = DEFAULT_MAX_REDIRECTS,
  }: RegistryClientOptions) {
    this.maxRedirects = maxRedirects
    this.transport = new Transport(new HostLimiter(limits, uptime), now, allowLinkLocal)
    this.tokens = new Tokens(this.transport, uptime)
  }

  /**
   * Every tag of a repository, in the order of the registry, however many pages it takes.
   * @throws RegistryError
   */
  async listTags(image: ImageName, access: RegistryAccess, options: CallOptions): Promise<string[]> {
    const budget = budgetOf(options)
    const tags = new Set<string>()
    const asked = new Set<string>()
    let url: URL | undefined = urlOf(image, access, `tags/list?n=${PAGE_SIZE}`)
    while (url !== undefined) {
      if (asked.has(url.href))
        throw new RegistryError('ProtocolError', `${image.registry} names the same page of tags twice`)
      asked.add(url.href)
      const answer = await this.read(image, access, url, budget)
      const before = tags.size
      for (const tag of readTagPage(answer.body, image)) tags.add(tag)
      if (tags.size > MAX_TAGS)
        throw new RegistryError('TooLarge', `${image.canonical} has more than ${MAX_TAGS} tags`)
      url = nextPage(answer.headers.link, url)
      if (url !== undefined && tags.size === before)
        throw new RegistryError('ProtocolError', `${image.registry} names another page of tags and has none`)
    }
    return [...tags]
  }

  /** The digest that a tag points to now: `sha256:<hex>`. Costs no download. @throws RegistryError */
  async resolveDigest(
    image: ImageName,
    tag: string,
    access: RegistryAccess,
    options: CallOptions,
  ): Promise<string> {
    const budget = budgetOf(options)
    const url = urlOf(image, access, `manifests/${tag}`)
    const answer = await this.read(image, access, url, budget, { method: 'HEAD', accept: MANIFEST_TYPES })
    const digest = answer.headers['docker-content-digest']
    if (typeof digest === 'string' && isDigest(digest)) return digest
    throw new RegistryError('ProtocolError', `${image.registry} names no digest of ${image.canonical}:${tag}`)
  }

  /** What a digest stands for: an image, an artifact, or an index of several. @throws RegistryError */
  async fetchManifest(
    image: ImageName,
    digest: string,
    access: RegistryAccess,
    options: CallOptions,
  ): Promise<Manifest> {
    const budget = budgetOf({ ...options, maxBytes: MAX_MANIFEST_BYTES })
    const url = urlOf(image, access, `manifests/${digest}`)
    const { body } = await this.read(image, access, url, budget, { accept: MANIFEST_TYPES })
    checkDigest(body, digest, `manifest of ${image.canonical}`)
    return readManifest(body, image)
  }

  /** Manifests that refer to this one, such as its signatures; none when nobody says that there are. @throws RegistryError */
  async listReferrers(
    image: ImageName,
    digest: string,
    access: RegistryAccess,
    options: CallOptions,
  ): Promise<Extract<Manifest, { kind: 'index' }>['manifests']> {
    // Registries without this part of the API keep the same index under a tag.
    for (const path of [`referrers/${digest}`, `manifests/${digest.replace(':', '-')}`]) {
      const budget = budgetOf({ ...options, maxBytes: MAX_MANIFEST_BYTES })
      const url = urlOf(image, access, path)
      const answer = await this.find(image, access, url, budget, { accept: MANIFEST_TYPES })
      const found = answer && readManifest(answer.body, image)
      if (found?.kind === 'index') return found.manifests
    }
    return []
  }

  /** The bytes of a blob; no more of them than its descriptor says are received. @throws RegistryError */
  async fetchBlob(
    image: ImageName,
    { digest, size }: Descriptor,
    access: RegistryAccess,
    options: CallOptions,
  ): Promise<Buffer> {
    const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES
    if (size > maxBytes)
      throw new RegistryError(
        'TooLarge',
        `blob ${digest} has ${size} bytes, more than the limit of ${maxBytes}`,
      )
    const budget = budgetOf({ ...options, maxBytes: size + TOKEN_BYTES })
    const url = urlOf(image, access, `blobs/${digest}`)
    const { body } = await this.read(image, access, url, budget)
    if (body.length !== size)
      throw new RegistryError('ProtocolError', `blob ${digest} has ${body.length} bytes instead of ${size}`)
    checkDigest(body, digest, `blob of ${image.canonical}`)
    return body
  }

  /**
   * The refresh token that an Azure Container Registry gives for an access token of Entra ID, which goes to no other
   * host. @throws RegistryError AuthenticationFailed when it is refused
   */
  async exchangeToken(
    { registry }: ImageName,
    accessToken: string,
    access: RegistryAccess,
    options: CallOptions,
  ): Promise<string> {
    const url = new URL(`https://${registry}/oauth2/exchange`)
    const form = { grant_type: 'access_token', service: registry, access_token: accessToken }
    const body = new URLSearchParams(form).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const budget = budgetOf({ ...options, maxBytes: TOKEN_BYTES })
    const answer = await this.transport.send(access, { method: 'POST', url, headers, body }, budget)
    return readRefreshToken(answer, registry)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport.close()
  }

  private async find(...asked: Parameters<RegistryClient['read']>): Promise<HttpAnswer | undefined> {
    try {
      return await this.read(...asked)
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'NotFound') return undefined
      throw error
    }
  }

  /** One read with the credentials that are asked for. Anything but 200 is an error. */
  private async read(
    image: ImageName,
    access: RegistryAccess,
    url: URL,
    budget: Budget,
    asked: Asked = {},
  ): Promise<HttpAnswer> {
    const key = `${url.origin}/${image.repository}`
    const known = this.challenges.get(key)
    const answer = await this.attempt(image, access, url, asked, known, budget)
    if (answer.status !== 401) return checked(answer, image)
    const wanted = parseChallenge(answer.headers['www-authenticate'])
    if (wanted === undefined) throw refused(image, answer)
    // The same challenge again means that the credentials, or a token that was kept, are refused.
    if (known?.scheme === 'bearer') this.tokens.forget(access, known, scopeOf(image))
    else if (known?.scheme === 'basic' && wanted.scheme === 'basic') throw refused(image, answer)
    if (wanted.scheme === 'basic' && Object.keys(basicHeader(access.credentials)).length === 0)
      throw refused(image, answer)
    this.remember(key, wanted)
    return checked(await this.attempt(image, access, url, asked, wanted, budget), image)
  }

  private async attempt(
    image: ImageName,
    access: RegistryAccess,
    url: URL,
    { method = 'GET', accept = '*/*' }: Asked,
    challenge: Challenge | undefined,
    budget: Budget,
  ): Promise<HttpAnswer> {
    const headers = await this.authorization(image, access, challenge, budget)
    let target = url
    for (let redirects = 0; redirects <= this.maxRedirects; redirects += 1) {
      const sent = { accept, ...(target.origin === url.origin ? headers : {}) }
      const answer = await this.transport.send(access, { method, url: target, headers: sent }, budget)
      const location = answer.headers.location
      if (![301, 302, 303, 307, 308].includes(answer.status) || typeof location !== 'string') return answer
      target = redirected(target, location)
    }
    const problem = `${image.registry} redirects more than ${this.maxRedirects} times`
    throw new RegistryError('ProtocolError', problem)
  }

  private async authorization(
    image: ImageName,
    access: RegistryAccess,
    challenge: Challenge | undefined,
    budget: Budget,
  ): Promise<Record<string, string>> {
    const { credentials } = access
    if (credentials !== undefined && 'registryToken' in credentials)
      return { authorization: `Bearer ${credentials.registryToken}` }
    if (challenge?.scheme === 'basic') return basicHeader(credentials)
    if (challenge === undefined) return {}
    const token = await this.tokens.get(access, challenge, scopeOf(image), budget)
    return { authorization: `Bearer ${token}` }
  }

  private remember(key: string, challenge: Challenge): void {
    this.challenges.delete(key)
    this.challenges.set(key, challenge)
    const [oldest] = this.challenges.keys()
    if (this.challenges.size > MAX_CHALLENGES && oldest !== undefined) this.challenges.delete(oldest)
  }
}

function budgetOf({ timeoutMs, signal, maxBytes = DEFAULT_MAX_BYTES }: CallOptions): Budget {
  const timeout = AbortSignal.timeout(timeoutMs)
  return {
    signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    timeoutMs,
    bytesLeft: maxBytes,
    maxBytes,
  }
}

function urlOf(image: ImageName, access: RegistryAccess, path: string): URL {
  const scheme = access.insecure === true ? 'http' : 'https'
  return new URL(`${scheme}://${image.registry}/v2/${image.repository}/${path}`)
}

const scopeOf = ({ repository }: ImageName): string => `repository:${repository}:pull`

function redirected(from: URL, location: string): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined
  const isWorse = from.protocol === 'https:' && target?.protocol !== 'https:'
  if (target === undefined || isWorse || !['http:', 'https:'].includes(target.protocol))
    throw new RegistryError('ProtocolError', `${from.host} redirects to an address that cannot be used`)
  return target
}

function checked(answer: HttpAnswer, image: ImageName): HttpAnswer {
  const { status } = answer
  if (status === 200) return answer
  if (status === 401 || status === 403) throw refused(image, answer)
  if (status === 404)
    throw new RegistryError('NotFound', `${image.registry} has no ${image.repository}${reasonOf(answer)}`)
  const code = status >= 500 ? 'ServerError' : 'ProtocolError'
  throw new RegistryError(code, `${image.registry} answered HTTP ${status}${reasonOf(answer)}`)
}

function refused(image: ImageName, answer: HttpAnswer): RegistryError {
  const what = `${image.registry} refused to show ${image.repository} (HTTP ${answer.status})`
  return new RegistryError('AuthenticationFailed', what)
}

/** What the registry says itself, as far as it is one of the codes of the distribution API. */
function reasonOf({ body }: HttpAnswer): string {
  const code = /"code"\s*:\s*"([A-Z_]{1,60})"/.exec(body.subarray(0, 4096).toString('utf8'))?.[1]
  return code === undefined ? '' : ` (${code})`
}
