/** The API server refused a request. The message is the server's own; it never holds a token or the body sent. */
export class KubeApiError extends Error {
  override readonly name = 'KubeApiError'
  /** HTTP status code. */
  readonly code: number
  /** `reason` of the server's Status, for example NotFound, Conflict, Invalid; '' when it sent none. */
  readonly reason: string
  /** `details` of the server's Status. */
  readonly details?: unknown

  constructor(message: string, status: { code: number; reason: string; details?: unknown }) {
    super(message)
    this.code = status.code
    this.reason = status.reason
    if (status.details !== undefined) this.details = status.details
  }
}

/** The API server could not be reached, broke the connection, or did not answer in time. */
export class KubeUnreachableError extends Error {
  override readonly name = 'KubeUnreachableError'
}

/** The API server does not serve a kind; its CRD is most likely not installed. */
export class NoMatchError extends Error {
  override readonly name = 'NoMatchError'
  readonly group: string
  readonly kind: string

  constructor(kind: { group: string; version?: string | undefined; kind: string }) {
    const version = kind.version ?? '*'
    const apiVersion = kind.group === '' ? version : `${kind.group}/${version}`
    super(`no matches for kind "${kind.kind}" in version "${apiVersion}": the cluster does not serve it`)
    this.group = kind.group
    this.kind = kind.kind
  }
}

/** The kubeconfig can't be used: what is wrong with it, never a value from it. */
export class KubeConfigError extends Error {
  override readonly name = 'KubeConfigError'
}
