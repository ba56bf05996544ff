export type { BucketAccess, CallOptions } from './access.ts'
export { BucketClient } from './client.ts'
export { BucketError, type BucketErrorCode } from './errors.ts'
export type { BucketObject } from './listing.ts'
