import type { BucketAccess } from './access.ts'
import { BucketError } from './errors.ts'
import type { BucketObject, ListingPage } from './listing.ts'

export interface PageOptions {
  prefix: string
  /** As many as the server likes when undefined. */
  pageSize: number | undefined
  /** Where the page begins; undefined for the first one. */
  next: string | undefined
}

/** What the APIs of object stores have in common. */
export interface BucketProtocol {
  /** @throws BucketError InvalidEndpoint */
  listUrl(page: PageOptions): URL
  /** @throws BucketError InvalidEndpoint */
  objectUrl(object: Pick<BucketObject, 'key' | 'generation'>): URL
  /** What proves who asks. */
  headers(url: URL): Promise<Record<string, string>>
  /** @throws BucketError ProtocolError when it is none */
  readPage(body: Buffer, host: string): ListingPage
  /** The code of an error, such as `NoSuchBucket`; undefined when the answer holds none. */
  readErrorCode(body: Buffer): string | undefined
}

/** Codes that say that there is no such bucket. */
export const NO_BUCKET: ReadonlySet<string> = new Set(['NoSuchBucket', 'ContainerNotFound'])
/** Codes that say that there is no such object; without a code, 404 does. */
export const NO_OBJECT: ReadonlySet<string> = new Set(['NoSuchKey', 'BlobNotFound', 'notFound'])

/** `https://endpoint`, where the endpoint is a host alone. @throws BucketError InvalidEndpoint */
export function baseOf({ endpoint, insecure }: BucketAccess): string {
  const base = `${insecure === true ? 'http' : 'https'}://${endpoint}`
  const { host, pathname, search } = URL.parse(base) ?? {}
  if (host === undefined || host === '' || pathname !== '/' || search !== '' || /[@/]/.test(endpoint))
    throw new BucketError('InvalidEndpoint', `"${endpoint}" is no host, with a port if need be`)
  return base
}

/** `bucket/a/b`, encoded. */
export function pathOf(bucket: string, key = ''): string {
  return [bucket, ...(key === '' ? [] : key.split('/'))].map((part) => encodeURIComponent(part)).join('/')
}

export function withQuery(url: URL, query: Record<string, string | undefined>): URL {
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, value)
  return url
}
