export type { BlobApi, BucketAccess, CallOptions, GcsApi, S3Api } from './access.ts'
export { BucketClient } from './client.ts'
export { BucketError, type BucketErrorCode } from './errors.ts'
export type { BucketObject } from './listing.ts'
