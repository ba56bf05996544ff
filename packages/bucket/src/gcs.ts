import type { BucketAccess, GcsApi } from './access.ts'
import { type BucketObject, type ListingPage, toObject, wrong } from './listing.ts'
import { type BucketProtocol, baseOf, withQuery } from './protocol.ts'

const FIELDS = 'nextPageToken,items(name,etag,size,generation)'

/** The JSON API of Google Cloud Storage. */
export function gcs(access: BucketAccess, { token }: GcsApi): BucketProtocol {
  const urlOf = (key?: string) => {
    const objects = `${baseOf(access)}/storage/v1/b/${encodeURIComponent(access.bucket)}/o`
    return new URL(key === undefined ? objects : `${objects}/${encodeURIComponent(key)}`)
  }
  return {
    listUrl: ({ prefix, pageSize, next }) =>
      withQuery(urlOf(), {
        fields: FIELDS,
        prefix: prefix === '' ? undefined : prefix,
        maxResults: pageSize === undefined ? undefined : String(pageSize),
        pageToken: next,
      }),
    objectUrl: ({ key, generation }) => withQuery(urlOf(key), { alt: 'media', generation }),
    headers: async () => (token === undefined ? {} : { authorization: `Bearer ${token}` }),
    readPage,
    readErrorCode,
  }
}

function readPage(body: Buffer, host: string): ListingPage {
  const page = parse(body)
  const items = page?.items ?? []
  if (page === undefined || !Array.isArray(items)) throw wrong(host, 'is no listing of a bucket')
  const { nextPageToken } = page
  return {
    objects: items.map((item) => readItem(item, host)),
    next: typeof nextPageToken === 'string' && nextPageToken !== '' ? nextPageToken : undefined,
  }
}

function readItem(item: unknown, host: string): BucketObject {
  const found = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>
  const text = (name: string) => (typeof found[name] === 'string' ? found[name] : '')
  const generation = text('generation')
  if (!/^\d{1,30}$/.test(generation)) throw wrong(host, 'has an object without a generation')
  return { ...toObject(text('name'), text('etag'), text('size'), host), generation }
}

/** The reason of the first error. */
function readErrorCode(body: Buffer): string | undefined {
  const { error } = (parse(body) ?? {}) as { error?: { errors?: { reason?: unknown }[] } }
  const reason = Array.isArray(error?.errors) ? error.errors[0]?.reason : undefined
  return typeof reason === 'string' && /^[A-Za-z]{1,60}$/.test(reason) ? reason : undefined
}

function parse(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
