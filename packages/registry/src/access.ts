import type { RegistryCredentials } from './docker-config.ts'

/** How a registry is reached. */
export interface RegistryAccess {
  credentials?: RegistryCredentials | undefined
  /** Plain HTTP. */
  insecure?: boolean | undefined
  /** PEM certificates trusted instead of the system's. */
  caPem?: string | undefined
  /** PEM certificate and key that this client shows. */
  client?: { certPem: string; keyPem: string } | undefined
  proxy?: RegistryProxy | undefined
}

export interface RegistryProxy {
  /** `http://proxy.example.com:3128`. */
  url: string
  username?: string | undefined
  password?: string | undefined
}

export interface CallOptions {
  /** Bound on the whole call, with every page and token. */
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** Bound on the bytes received. Default 32 MiB. */
  maxBytes?: number | undefined
}
