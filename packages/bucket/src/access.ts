import type { ServerAccess } from '@setpoint/http-agents'

/** Which bucket is meant, and how it is reached. */
export interface BucketAccess extends ServerAccess {
  /** Host, and port if it is another than the scheme's: `minio.example.com:9000`. Of Azure, also a URL with a path. */
  endpoint: string
  bucket: string
  /** What the server speaks, and who asks. Default: S3 by nobody. */
  api?: S3Api | BlobApi | GcsApi | undefined
  /** Plain HTTP. */
  insecure?: boolean | undefined
}

/** The S3 API, which most object stores have. */
export interface S3Api {
  kind: 's3'
  /** Part of the signature. Default us-east-1. */
  region?: string | undefined
  /** Without them, requests are not signed. */
  credentials?:
    | { accessKeyId: string; secretAccessKey: string; sessionToken?: string | undefined }
    | undefined
}

/** Azure Blob Storage, whose buckets are called containers. */
export interface BlobApi {
  kind: 'blob'
  /** A token of Entra ID, the key of the storage account in base64, or a query that is signed; nobody when left out. */
  credentials?: { token: string } | { accountKey: string } | { sas: string } | undefined
}

/** The JSON API of Google Cloud Storage. */
export interface GcsApi {
  kind: 'gcs'
  /** Nobody when left out. */
  token?: string | undefined
}

export interface CallOptions {
  timeoutMs: number
  signal: AbortSignal
}
