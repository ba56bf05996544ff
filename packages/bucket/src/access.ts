import type { ServerAccess } from '@setpoint/http-agents'

/** Which bucket is meant, and how it is reached. */
export interface BucketAccess extends ServerAccess {
  /** Host, and port if it is another than the scheme's: `minio.example.com:9000`. */
  endpoint: string
  bucket: string
  /** Part of the signature. Default us-east-1. */
  region?: string | undefined
  /** Without them, requests are not signed. */
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined
  /** Plain HTTP. */
  insecure?: boolean | undefined
}

export interface CallOptions {
  timeoutMs: number
  signal: AbortSignal
}
