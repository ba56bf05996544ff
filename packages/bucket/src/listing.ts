import { BucketError } from './errors.ts'

/** An object, as a listing tells of it. */
export interface BucketObject {
  key: string
  /** Changes when the content does; without quotes. */
  etag: string
  /** Bytes. */
  size: number
  /** Which of its contents it is, where a server counts them. */
  generation?: string
}

export interface ListingPage {
  objects: BucketObject[]
  /** Where the next page begins; undefined after the last one. */
  next: string | undefined
}

/** An object of a listing, checked. @throws BucketError ProtocolError */
export function toObject(key: string, etag: string, size: string, host: string): BucketObject {
  if (key === '' || etag === '' || !/^\d{1,15}$/.test(size))
    throw wrong(host, 'has an object without key, tag and size')
  return { key, etag: plainEtag(etag), size: Number(size) }
}

/** The content of an ETag header or element, without its quotes. */
export function plainEtag(text: string): string {
  return text.trim().replace(/^"(.*)"$/, '$1')
}

export function wrong(host: string, what: string): BucketError {
  return new BucketError('ProtocolError', `the answer of ${host} ${what}`)
}
