import type { ServerAccess } from '@setpoint/http-agents'
import type { BucketAccess, CallOptions } from './access.ts'
import { blob } from './blob.ts'
import { BucketError } from './errors.ts'
import { gcs } from './gcs.ts'
import { ldapRequest, readLdapAnswer, type TemporaryCredentials } from './ldap.ts'
import { type BucketObject, plainEtag } from './listing.ts'
import { type BucketProtocol, NO_BUCKET, NO_OBJECT } from './protocol.ts'
import { s3 } from './s3.ts'
import { type HttpAnswer, Transport } from './transport.ts'

const MAX_PAGE_BYTES = 8 * 1024 * 1024
/** What an error may take instead of a small object. */
const MIN_ANSWER_BYTES = 64 * 1024

/** A client of object stores: those with the S3 API, Azure Blob Storage, Google Cloud Storage. */
export class BucketClient implements AsyncDisposable {
  private readonly transport: Transport
  private readonly pageSize: number | undefined
  private readonly now: () => number

  /**
   * pageSize: objects that a server names at once; as many as it likes, 1000 mostly, when left out. allowLinkLocal:
   * whether servers may be on link-local addresses; default false. now: milliseconds since the epoch, for signatures.
   */
  constructor({
    pageSize,
    allowLinkLocal = false,
    now = Date.now,
  }: {
    pageSize?: number
    allowLinkLocal?: boolean
    now?(): number
  } = {}) {
    this.transport = new Transport(allowLinkLocal)
    this.pageSize = pageSize
    this.now = now
  }

  /** Every object whose key begins with a prefix. @throws BucketError */
  async list(
    access: BucketAccess,
    { prefix, maxObjects, ...call }: CallOptions & { prefix: string; maxObjects: number },
  ): Promise<BucketObject[]> {
    const protocol = protocolOf(access, this.now)
    const objects: BucketObject[] = []
    const seen = new Set<string>()
    let next: string | undefined
    do {
      const url = protocol.listUrl({ prefix, pageSize: this.pageSize, next })
      const { body } = await this.get(access, protocol, url, { ...call, maxBytes: MAX_PAGE_BYTES })
      const page = protocol.readPage(body, url.host)
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
  async read(access: BucketAccess, object: BucketObject, call: CallOptions): Promise<Buffer> {
    const { key, etag, size, generation } = object
    const answer = await this.fetch(access, object, { ...call, maxBytes: size })
    // A generation is what was asked for.
    const found = generation === undefined ? plainEtag(String(answer?.headers.etag ?? '')) : ''
    if (answer === undefined || answer.body.length !== size || (found !== '' && found !== etag))
      throw new BucketError('Changed', `'${key}' has changed while bucket '${access.bucket}' was read`)
    return answer.body
  }

  /** The content of an object of a known name; undefined when there is none. @throws BucketError */
  async find(
    access: BucketAccess,
    key: string,
    call: CallOptions & { maxBytes: number },
  ): Promise<Buffer | undefined> {
    return (await this.fetch(access, { key }, call))?.body
  }

  /** Credentials that a server with the S3 API gives to a user of its LDAP directory. @throws BucketError */
  async askAsLdapUser(
    endpoint: string,
    user: { username: string; password: string },
    access: ServerAccess,
    call: CallOptions,
  ): Promise<TemporaryCredentials> {
    const url = URL.parse(endpoint)
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '')
      throw new BucketError(
        'InvalidEndpoint',
        `"${endpoint}" is no address such as https://minio.example.com`,
      )
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const sent = { method: 'POST', headers, body: ldapRequest(user) } as const
    const { status, body } = await this.transport.send(access, url, sent, {
      ...call,
      maxBytes: MIN_ANSWER_BYTES,
    })
    const found = status === 200 ? readLdapAnswer(body) : undefined
    if (found !== undefined) return found
    throw new BucketError('AuthenticationFailed', `${url.host} gave no credentials: HTTP ${status}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport.close()
  }

  private async fetch(
    access: BucketAccess,
    object: Pick<BucketObject, 'key' | 'generation'>,
    { maxBytes, ...call }: CallOptions & { maxBytes: number },
  ): Promise<HttpAnswer | undefined> {
    const protocol = protocolOf(access, this.now)
    try {
      const bounded = { ...call, maxBytes: Math.max(maxBytes, MIN_ANSWER_BYTES) }
      return await this.get(access, protocol, protocol.objectUrl(object), bounded)
    } catch (error) {
      if (error instanceof BucketError && error.code === 'NotFound' && NO_OBJECT.has(String(error.cause)))
        return undefined
      throw error
    }
  }

  private async get(
    access: BucketAccess,
    protocol: BucketProtocol,
    url: URL,
    call: CallOptions & { maxBytes: number },
  ): Promise<HttpAnswer> {
    const answer = await this.transport.get(access, url, await protocol.headers(url), call)
    if (answer.status === 200) return answer
    throw problem(answer, protocol.readErrorCode(answer.body), access, url.host)
  }
}

function protocolOf(access: BucketAccess, now: () => number): BucketProtocol {
  const { api = { kind: 's3' } } = access
  if (api.kind === 'blob') return blob(access, api, now)
  return api.kind === 'gcs' ? gcs(access, api) : s3(access, api)
}

function problem(
  { status, headers }: HttpAnswer,
  reason: string | undefined,
  { bucket }: BucketAccess,
  host: string,
): BucketError {
  const said = `${host} answered HTTP ${status}${reason === undefined ? '' : ` (${reason})`} for bucket '${bucket}'`
  if (reason !== undefined && NO_BUCKET.has(reason))
    return new BucketError('NotFound', `bucket '${bucket}' not found`, { cause: reason })
  if (status === 404) return new BucketError('NotFound', said, { cause: reason ?? 'NoSuchKey' })
  const region = String(headers['x-amz-bucket-region'] ?? '')
  if ((status === 301 || status === 400) && /^[a-z0-9-]{1,40}$/.test(region))
    return new BucketError(
      'ProtocolError',
      `bucket '${bucket}' is in another region: ask for it in ${region} (spec.region)`,
    )
  if (status === 401 || status === 403) return new BucketError('AuthenticationFailed', said)
  if (status === 429 || status === 503) return new BucketError('TooManyRequests', said)
  if (status >= 300 && status < 400)
    return new BucketError('ProtocolError', `${said}: another endpoint or spec.region is meant`)
  return new BucketError(status >= 500 ? 'ServerError' : 'ProtocolError', said)
}
