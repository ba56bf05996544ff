import type { KubeObject } from '@setpoint/manifest'

/** Where the API server is and how long one call may take. */
export interface KubeClientOptions {
  /** Path of a kubeconfig. Without it: the service account of the pod, else KUBECONFIG, else ~/.kube/config. */
  kubeconfig?: string | undefined
  /** Context of the kubeconfig; its current context without it. */
  context?: string | undefined
  /** Sent as User-Agent. */
  userAgent?: string | undefined
  /** Bound on one call with its retries and its wait for a free stream. Default 30,000 ms. */
  requestTimeoutMs?: number | undefined
  /** Requests at once on the connection. Default 64; never more than the server allows. */
  maxConcurrentRequests?: number | undefined
  /** Requests that may wait for a free stream; one more is refused at once. Default 10,000. */
  maxQueuedRequests?: number | undefined
  /** Called in the very moment before a request goes out that changes something; what it throws, the call throws. */
  beforeWrite?: (() => void) | undefined
}

/** A kind to look up; without a version, the one that the server prefers. group is '' for the core group. */
export interface KindRef {
  group: string
  version?: string | undefined
  kind: string
}

/** One object of a kind; namespace is '' or absent for cluster-scoped kinds. */
export interface ObjectKey {
  namespace?: string | undefined
  name: string
}

/** How one kind is served. */
export interface ResourceInfo {
  group: string
  version: string
  kind: string
  /** The name in URLs: `deployments`. */
  plural: string
  namespaced: boolean
  /** `get`, `list`, `watch`, `create`, `patch`, `delete`, … */
  verbs: string[]
}

export interface RequestOptions {
  /** Ends the call at once with the reason of the signal. */
  signal?: AbortSignal | undefined
  /** Overrides requestTimeoutMs of the client for this call. */
  timeoutMs?: number | undefined
  /** User name to act as, for example `system:serviceaccount:apps:deployer`. */
  impersonate?: string | undefined
}

export interface RawRequest extends RequestOptions {
  method: string
  /** Path below the server's URL, encoded: `/api/v1/namespaces`. */
  path: string
  query?: Record<string, string> | undefined
  /** Sent as JSON; integers held as bigint keep all their digits. */
  body?: unknown
  contentType?: string | undefined
  accept?: string | undefined
}

export interface GetOptions extends RequestOptions {
  /** Ask for metadata alone; apiVersion and kind are still those of the object. */
  metadataOnly?: boolean | undefined
}

export interface ListOptions extends GetOptions {
  /** Without it: all namespaces. */
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
  /** Objects per page; all pages are read. Default 500. */
  limit?: number | undefined
}

export interface WriteOptions extends RequestOptions {
  fieldManager?: string | undefined
  dryRun?: boolean | undefined
}

export interface ApplyOptions extends RequestOptions {
  fieldManager: string
  /** Take fields over from other managers. Default true; false answers a conflict with a 409. */
  force?: boolean | undefined
  dryRun?: boolean | undefined
  subresource?: 'status' | undefined
  /** Answer with metadata alone: cheaper when only resourceVersion or uid is of interest. */
  metadataOnly?: boolean | undefined
}

export interface PatchOptions extends WriteOptions {
  subresource?: 'status' | undefined
}

export interface DeleteOptions extends RequestOptions {
  /** Delete only the object with this uid; a 409 otherwise. */
  uid?: string | undefined
  /** Delete only at this resource version; a 409 otherwise. */
  resourceVersion?: string | undefined
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined
  dryRun?: boolean | undefined
}

export interface JsonPatchOperation {
  op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'
  path: string
  from?: string
  value?: unknown
}

export interface StreamRequest {
  path: string
  query?: Record<string, string> | undefined
  accept?: string | undefined
  signal: AbortSignal
  /** Bound on the wait for the first byte of the answer. Default: requestTimeoutMs. */
  timeoutMs?: number | undefined
  /** The server has answered 200 and the stream is open. */
  onOpen?(): void
  /** One line of the answer, without its line break. */
  onLine(line: string): void
}

/**
 * A client of one API server. Every call is bounded in time.
 * Calls throw KubeApiError when the server refuses (HTTP status of 400 and above), KubeUnreachableError when it
 * can't be reached or doesn't answer in time, NoMatchError when it doesn't serve the kind.
 */
export interface KubeClient extends AsyncDisposable {
  /** The server's URL. */
  readonly server: string
  /** One request; the answer's parsed JSON. */
  request(request: RawRequest): Promise<unknown>
  /** A long answer read line by line (watch, logs), on connections of its own. Settles when the answer ends. */
  stream(request: StreamRequest): Promise<void>
  /** How a kind is served, from a cache; a miss asks the server again, at most once per second. */
  resource(kind: KindRef): Promise<ResourceInfo>
  /** Every kind that the server serves, at its preferred version. */
  resources(): Promise<ResourceInfo[]>
  /** Makes the next `resource` of an unknown kind ask the server at once, for example after a CRD was installed. */
  invalidateDiscovery(): void
  /** undefined when there is no such object. */
  get(kind: KindRef, key: ObjectKey, options?: GetOptions): Promise<KubeObject | undefined>
  list(kind: KindRef, options?: ListOptions): Promise<KubeObject[]>
  create(object: KubeObject, options?: WriteOptions): Promise<KubeObject>
  /** Server-side apply. */
  apply(object: KubeObject, options: ApplyOptions): Promise<KubeObject>
  /** JSON merge patch (RFC 7386). */
  mergePatch(kind: KindRef, key: ObjectKey, patch: unknown, options?: PatchOptions): Promise<KubeObject>
  /** JSON patch (RFC 6902). Not retried when the connection breaks, for it may have been done. */
  jsonPatch(
    kind: KindRef,
    key: ObjectKey,
    operations: JsonPatchOperation[],
    options?: PatchOptions,
  ): Promise<KubeObject>
  /** false when there was no such object. */
  delete(kind: KindRef, key: ObjectKey, options?: DeleteOptions): Promise<boolean>
}
