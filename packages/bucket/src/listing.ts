import { parseXml, XmlElement } from '@rgrove/parse-xml'
import { BucketError } from './errors.ts'

/** An object, as a listing tells of it. */
export interface BucketObject {
  key: string
  /** Changes when the content does; without quotes. */
  etag: string
  /** Bytes. */
  size: number
}

export interface ListingPage {
  objects: BucketObject[]
  /** Where the next page begins; undefined after the last one. */
  next: string | undefined
}

/** Reads an answer to ListObjectsV2. @throws BucketError ProtocolError when it is none */
export function readListing(body: Buffer, host: string): ListingPage {
  const root = rootOf(body)
  if (root?.name !== 'ListBucketResult') throw wrong(host, 'is no listing of a bucket')
  const objects = childrenOf(root, 'Contents').map((element) => readObject(element, host))
  const next = textOf(root, 'NextContinuationToken')
  return { objects, next: textOf(root, 'IsTruncated') === 'true' && next !== '' ? next : undefined }
}

/** The code of an error, such as `NoSuchBucket`; undefined when the answer holds none. */
export function readErrorCode(body: Buffer): string | undefined {
  const root = rootOf(body)
  const code = root?.name === 'Error' ? textOf(root, 'Code') : ''
  return /^[A-Za-z]{1,60}$/.test(code) ? code : undefined
}

/** The content of an ETag header or element, without its quotes. */
export function plainEtag(text: string): string {
  return text.trim().replace(/^"(.*)"$/, '$1')
}

function readObject(element: XmlElement, host: string): BucketObject {
  const [key, etag, size] = [textOf(element, 'Key'), textOf(element, 'ETag'), textOf(element, 'Size')]
  if (key === '' || etag === '' || !/^\d{1,15}$/.test(size))
    throw wrong(host, 'has an object without key, tag and size')
  return { key, etag: plainEtag(etag), size: Number(size) }
}

function rootOf(body: Buffer): XmlElement | undefined {
  try {
    return parseXml(body.toString('utf8')).root ?? undefined
  } catch {
    return undefined
  }
}

function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter(
    (child) => child instanceof XmlElement && child.name === name,
  ) as XmlElement[]
}

const textOf = (element: XmlElement, name: string): string => childrenOf(element, name)[0]?.text ?? ''

function wrong(host: string, what: string): BucketError {
  return new BucketError('ProtocolError', `the answer of ${host} ${what}`)
}
