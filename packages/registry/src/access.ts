import type { ServerAccess } from '@setpoint/http-agents'
import type { RegistryCredentials } from './docker-config.ts'

/** How a registry is reached. */
export interface RegistryAccess extends ServerAccess {
  credentials?: RegistryCredentials | undefined
  /** Plain HTTP. */
  insecure?: boolean | undefined
}

export interface CallOptions {
  /** Bound on the whole call, with every page and token. */
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** Bound on the bytes received. Default 32 MiB. */
  maxBytes?: number | undefined
}
