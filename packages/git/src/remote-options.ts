/** User and password, or a token sent as `Authorization: Bearer`. */
export type GitCredentials = { username: string; password: string } | { bearerToken: string }

/** How a remote repository is reached. */
export interface RemoteOptions {
  /** http or https. */
  url: string
  auth?: GitCredentials
  /** PEM certificates trusted instead of the system's. */
  caPem?: string
  /** Bound on the whole operation. */
  timeoutMs: number
  signal?: AbortSignal
  /** Bound on the bytes received. Default 512 MiB. */
  maxBytes?: number
}

export const DEFAULT_MAX_BYTES = 512 * 1024 * 1024
