import { createHmac } from 'node:crypto'
import type { XmlElement } from '@rgrove/parse-xml'
import type { BlobApi, BucketAccess } from './access.ts'
import { BucketError } from './errors.ts'
import { type ListingPage, toObject, wrong } from './listing.ts'
import { type BucketProtocol, pathOf, withQuery } from './protocol.ts'
import { childrenOf, rootOf, textOf, xmlErrorCode } from './xml.ts'

const VERSION = '2023-11-03'

/** The REST API of Azure Blob Storage. */
export function blob(access: BucketAccess, { credentials }: BlobApi, now: () => number): BucketProtocol {
  const base = baseOf(access)
  const urlOf = (key?: string) => withSas(new URL(`${base}/${pathOf(access.bucket, key)}`), credentials)
  return {
    listUrl: ({ prefix, pageSize, next }) =>
      withQuery(urlOf(), {
        restype: 'container',
        comp: 'list',
        prefix: prefix === '' ? undefined : prefix,
        maxresults: pageSize === undefined ? undefined : String(pageSize),
        marker: next,
      }),
    objectUrl: ({ key }) => urlOf(key),
    headers: async (url) => {
      const common = { 'x-ms-version': VERSION, 'x-ms-date': new Date(now()).toUTCString() }
      if (credentials === undefined || 'sas' in credentials) return common
      if ('token' in credentials) return { ...common, authorization: `Bearer ${credentials.token}` }
      return { ...common, authorization: sharedKey(accountOf(base), url, common, credentials.accountKey) }
    },
    readPage,
    readErrorCode: xmlErrorCode,
  }
}

/** An account's endpoint: its host, or a URL, which may have a path where one server has several accounts. */
function baseOf({ endpoint, insecure }: BucketAccess): string {
  const text = /^https?:\/\//.test(endpoint) ? endpoint : `http${insecure ? '' : 's'}://${endpoint}`
  const url = URL.parse(text)
  if (url === null || url.host === '' || url.search !== '' || url.hash !== '' || url.username !== '')
    throw new BucketError(
      'InvalidEndpoint',
      `"${endpoint}" is no endpoint such as https://account.blob.core.windows.net`,
    )
  return url.href.replace(/\/+$/, '')
}

/** A shared access signature is a part of the query. */
function withSas(url: URL, credentials: BlobApi['credentials']): URL {
  if (credentials === undefined || !('sas' in credentials)) return url
  return withQuery(url, Object.fromEntries(new URLSearchParams(credentials.sas)))
}

/** The account is the first part of the host's name, or of the path where there is one. */
function accountOf(base: string): string {
  const { hostname, pathname } = new URL(base)
  return pathname.split('/')[1] || (hostname.split('.')[0] ?? '')
}

/** Proves that one has the key of the account. */
function sharedKey(account: string, url: URL, headers: Record<string, string>, key: string): string {
  // A GET without a body and conditions: eleven standard headers are empty.
  const lines = ['GET', ...Array.from({ length: 11 }, () => '')]
  for (const [name, value] of Object.entries(headers).sort(byName)) lines.push(`${name}:${value}`)
  lines.push(`/${account}${url.pathname}`)
  for (const [name, value] of [...url.searchParams].sort(byName)) lines.push(`${name.toLowerCase()}:${value}`)
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(lines.join('\n')).digest('base64')
  return `SharedKey ${account}:${signature}`
}

const byName = ([a]: [string, string], [b]: [string, string]): number => (a < b ? -1 : 1)

function readPage(body: Buffer, host: string): ListingPage {
  const root = rootOf(body)
  if (root?.name !== 'EnumerationResults') throw wrong(host, 'is no listing of a container')
  const blobs = childrenOf(childrenOf(root, 'Blobs')[0], 'Blob')
  const objects = blobs
    .filter((found) => !isDirectory(found))
    .map((found) => {
      const properties = propertiesOf(found)
      return toObject(nameOf(found), textOf(properties, 'Etag'), textOf(properties, 'Content-Length'), host)
    })
  return { objects, next: textOf(root, 'NextMarker') || undefined }
}

const propertiesOf = (found: XmlElement): XmlElement | undefined => childrenOf(found, 'Properties')[0]

/** Accounts with a hierarchical namespace list directories too. */
const isDirectory = (found: XmlElement): boolean =>
  textOf(propertiesOf(found), 'ResourceType') === 'directory'

/** Names with characters that XML does not have are percent-encoded, and say so. */
function nameOf(found: XmlElement): string {
  const [name] = childrenOf(found, 'Name')
  const text = name?.text ?? ''
  try {
    return name?.attributes.Encoded === 'true' ? decodeURIComponent(text) : text
  } catch {
    return ''
  }
}
