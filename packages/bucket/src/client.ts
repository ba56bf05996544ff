import { AwsV4Signer } from 'aws4fetch'
import type { BucketAccess, CallOptions } from './access.ts'
import { BucketError } from './errors.ts'
import { type BucketObject, plainEtag, readErrorCode, readListing } from './listing.ts'
import { type HttpAnswer, Transport } from './transport.ts'

const DEFAULT_REGION = 'us-east-1'
const MAX_PAGE_BYTES = 8 * 1024 * 1024
/** What an error may take instead of a small object. */
const MIN_ANSWER_BYTES = 64 * 1024

/** A client of every server with the S3 API. */
export class BucketClient implements AsyncDisposable {
  private readonly transport: Transport
  private readonly pageSize: number | undefined

  /**
   * pageSize: objects that a server names at once; as many as it likes, 1000 mostly, when left out. allowLinkLocal:
   * whether servers may be on link-local addresses; default false.
   */
  constructor({ pageSize, allowLinkLocal = false }: { pageSize?: number; allowLinkLocal?: boolean } = {}) {
    this.transport = new Transport(allowLinkLocal)
    this.pageSize = pageSize
  }

  /** Every object whose key begins with a prefix. @throws BucketError */
  async list(
    access: BucketAccess,
    { prefix, maxObjects, ...call }: CallOptions & { prefix: string; maxObjects: number },
  ): Promise<BucketObject[]> {
    const objects: BucketObject[] = []
    const seen = new Set<string>()
    let next: string | undefined
    do {
      const query = { 'list-type': '2', ...pageOf({ prefix, pageSize: this.pageSize, next }) }
      const url = urlOf(access, '', query)
      const { body } = await this.get(access, url, { ...call, maxBytes: MAX_PAGE_BYTES })
      const page = readListing(body, url.host)
      objects.push(...page.objects)
      if (objects.length > maxObjects)
        throw new BucketError('TooLarge', `bucket '${access.bucket}' has more than ${maxObjects} objects`)
      next = page.next
      if (next !== undefined && seen.has(next))
        throw new BucketError('ProtocolError', `${url.host} names the same page of objects twice`)
      if (next !== undefined) seen.add(next)
    } while (next !== undefined)
    return objects
  }

  /** The content of an object as it was listed. @throws BucketError Changed when it is another one by now */
  async read(access: BucketAccess, { key, etag, size }: BucketObject, call: CallOptions): Promise<Buffer> {
    const answer = await this.fetch(access, key, call, size)
    const found = answer && plainEtag(String(answer.headers.etag ?? ''))
    if (answer === undefined || answer.body.length !== size || (found !== '' && found !== etag))
      throw new BucketError('Changed', `'${key}' has changed while bucket '${access.bucket}' was read`)
    return answer.body
  }

  /** The content of an object of a known name; undefined when there is none. @throws BucketError */
  async find(
    access: BucketAccess,
    key: string,
    { maxBytes, ...call }: CallOptions & { maxBytes: number },
  ): Promise<Buffer | undefined> {
    return (await this.fetch(access, key, call, maxBytes))?.body
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport.close()
  }

  private async fetch(
    access: BucketAccess,
    key: string,
    call: CallOptions,
    maxBytes: number,
  ): Promise<HttpAnswer | undefined> {
    try {
      const bounded = { ...call, maxBytes: Math.max(maxBytes, MIN_ANSWER_BYTES) }
      return await this.get(access, urlOf(access, key, {}), bounded)
    } catch (error) {
      if (error instanceof BucketError && error.code === 'NotFound' && error.cause === 'NoSuchKey')
        return undefined
      throw error
    }
  }

  private async get(
    access: BucketAccess,
    url: URL,
    call: CallOptions & { maxBytes: number },
  ): Promise<HttpAnswer> {
    const answer = await this.transport.get(access, url, await signed(access, url), call)
    if (answer.status === 200) return answer
    throw problem(answer, access, url.host)
  }
}

function pageOf(page: { prefix: string; pageSize: number | undefined; next: string | undefined }) {
  return {
    ...(page.prefix === '' ? {} : { prefix: page.prefix }),
    ...(page.pageSize === undefined ? {} : { 'max-keys': String(page.pageSize) }),
    ...(page.next === undefined ? {} : { 'continuation-token': page.next }),
  }
}

function urlOf(
  { endpoint, insecure, bucket }: BucketAccess,
  key: string,
  query: Record<string, string>,
): URL {
  const base = `${insecure === true ? 'http' : 'https'}://${endpoint}`
  const { host, pathname, search } = URL.parse(base) ?? {}
  if (host === undefined || host === '' || pathname !== '/' || search !== '' || /[@/]/.test(endpoint))
    throw new BucketError('InvalidEndpoint', `"${endpoint}" is no host, with a port if need be`)
  const path = [bucket, ...(key === '' ? [] : key.split('/'))]
    .map((part) => encodeURIComponent(part))
    .join('/')
  const url = new URL(`${base}/${path}`)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url
}

async function signed(
  { credentials, region = DEFAULT_REGION }: BucketAccess,
  url: URL,
): Promise<Record<string, string>> {
  if (credentials === undefined) return {}
  const signer = new AwsV4Signer({ ...credentials, url: url.href, method: 'GET', service: 's3', region })
  return Object.fromEntries((await signer.sign()).headers)
}

function problem({ status, body }: HttpAnswer, { bucket }: BucketAccess, host: string): BucketError {
  const reason = readErrorCode(body)
  const said = `${host} answered HTTP ${status}${reason === undefined ? '' : ` (${reason})`} for bucket '${bucket}'`
  if (reason === 'NoSuchBucket')
    return new BucketError('NotFound', `bucket '${bucket}' not found`, { cause: reason })
  if (status === 404) return new BucketError('NotFound', said, { cause: reason ?? 'NoSuchKey' })
  if (status === 401 || status === 403) return new BucketError('AuthenticationFailed', said)
  if (status === 429 || status === 503) return new BucketError('TooManyRequests', said)
  if (status >= 300 && status < 400)
    return new BucketError('ProtocolError', `${said}: another endpoint or spec.region is meant`)
  return new BucketError(status >= 500 ? 'ServerError' : 'ProtocolError', said)
}
