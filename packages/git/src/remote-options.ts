import type { PackLimits } from './pack/limits.ts'

/** User and password, or a token sent as `Authorization: Bearer`. */
export type GitCredentials = { username: string; password: string } | { bearerToken: string }

/** What SSH needs: the key to log in with, and the host keys that are trusted. */
export interface SshCredentials {
  /** A private key: OpenSSH, PKCS#1, SEC1 or PKCS#8; Ed25519, ECDSA or RSA. */
  identity: string
  /** Of an encrypted private key. */
  passphrase?: string
  /** Lines as in OpenSSH's known_hosts. */
  knownHosts: string
}

/** A proxy between us and the Git server. */
export interface ProxyOptions {
  /** `http://`, `https://`, `socks5://` or `socks5h://`, without credentials. */
  address: string
  username?: string
  password?: string
}

/** How a remote repository is reached: to list, fetch and push alike. */
export interface RemoteOptions {
  /** http, https or ssh. */
  url: string
  auth?: GitCredentials
  /** Needed for ssh. */
  ssh?: SshCredentials
  /** PEM certificates trusted instead of the system's. */
  caPem?: string
  /** PEM of a client certificate and its key. */
  clientCertificate?: { certPem: string; keyPem: string }
  proxy?: ProxyOptions
  /** Bound on the whole operation. */
  timeoutMs: number
  signal?: AbortSignal
  /** Bound on the bytes received. Default 512 MiB. */
  maxBytes?: number
  /** Redirects of one request that are followed. Default 5. */
  maxRedirects?: number
  /** Bounds on what a pack unpacks to. */
  packLimits?: PackLimits
  /** Servers on link-local addresses, where clouds keep their credentials, are refused without this. */
  allowLinkLocal?: boolean
}

export const DEFAULT_MAX_BYTES = 512 * 1024 * 1024
