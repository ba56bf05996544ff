import { AwsV4Signer } from 'aws4fetch'
import type { BucketAccess, S3Api } from './access.ts'
import { type ListingPage, toObject, wrong } from './listing.ts'
import { type BucketProtocol, baseOf, pathOf, withQuery } from './protocol.ts'
import { childrenOf, rootOf, textOf, xmlErrorCode } from './xml.ts'

const DEFAULT_REGION = 'us-east-1'

/** Path-style addresses, signatures of version 4, or none. */
export function s3(access: BucketAccess, { credentials, region = DEFAULT_REGION }: S3Api): BucketProtocol {
  const urlOf = (key?: string) => new URL(`${baseOf(access)}/${pathOf(access.bucket, key)}`)
  return {
    listUrl: ({ prefix, pageSize, next }) =>
      withQuery(urlOf(), {
        'list-type': '2',
        prefix: prefix === '' ? undefined : prefix,
        'max-keys': pageSize === undefined ? undefined : String(pageSize),
        'continuation-token': next,
      }),
    objectUrl: ({ key }) => urlOf(key),
    headers: async (url) => {
      if (credentials === undefined) return {}
      const { accessKeyId, secretAccessKey, sessionToken } = credentials
      const signer = new AwsV4Signer({
        accessKeyId,
        secretAccessKey,
        ...(sessionToken === undefined ? {} : { sessionToken }),
        url: url.href,
        method: 'GET',
        service: 's3',
        region,
      })
      return Object.fromEntries((await signer.sign()).headers)
    },
    readPage,
    readErrorCode: xmlErrorCode,
  }
}

/** Reads an answer to ListObjectsV2. */
function readPage(body: Buffer, host: string): ListingPage {
  const root = rootOf(body)
  if (root?.name !== 'ListBucketResult') throw wrong(host, 'is no listing of a bucket')
  const objects = childrenOf(root, 'Contents').map((found) =>
    toObject(textOf(found, 'Key'), textOf(found, 'ETag'), textOf(found, 'Size'), host),
  )
  const next = textOf(root, 'NextContinuationToken')
  return { objects, next: textOf(root, 'IsTruncated') === 'true' && next !== '' ? next : undefined }
}
