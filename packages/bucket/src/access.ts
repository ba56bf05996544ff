/** Which bucket is meant, and how it is reached. */
export interface BucketAccess {
  /** Host, and port if it is another than the scheme's: `minio.example.com:9000`. */
  endpoint: string
  bucket: string
  /** Part of the signature. Default us-east-1. */
  region?: string | undefined
  /** Without them, requests are not signed. */
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined
  /** Plain HTTP. */
  insecure?: boolean | undefined
  /** PEM certificates trusted instead of the system's. */
  caPem?: string | undefined
  /** PEM certificate and key that this client shows. */
  client?: { certPem: string; keyPem: string } | undefined
  proxy?: { url: string; username?: string | undefined; password?: string | undefined } | undefined
}

export interface CallOptions {
  timeoutMs: number
  signal: AbortSignal
}
