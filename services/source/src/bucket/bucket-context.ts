import type { BucketAccess, BucketClient, BucketObject } from '@setpoint/bucket'
import type { BucketLogins } from '@setpoint/cloud'
import type { Bucket } from '@setpoint/contracts'
import type { SourceContext, Task } from '../context.ts'

/** What Buckets are reconciled with besides. */
export interface BucketParts {
  buckets: BucketClient
  bucketLogins: BucketLogins
}

export type BucketContext = SourceContext<Bucket> & BucketParts
export type BucketTask = Task<Bucket>

/** The bucket of a run, and how it is reached. */
export interface Remote {
  access: BucketAccess
  /** Bounds of one call to the server. */
  call: { timeoutMs: number; signal: AbortSignal }
}

/** An object that becomes a file. */
export interface ListedFile extends BucketObject {
  path: string
}
