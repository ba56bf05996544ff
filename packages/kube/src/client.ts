import { gvkOf, type KubeObject, parseJson } from '@setpoint/manifest'
import type {
  ApplyOptions,
  DeleteOptions,
  GetOptions,
  JsonPatchOperation,
  KindRef,
  KubeClient,
  ListOptions,
  ObjectKey,
  PatchOptions,
  RawRequest,
  ResourceInfo,
  StreamRequest,
  WriteOptions,
} from './client-types.ts'
import { Discovery } from './discovery.ts'
import { KubeApiError, NoMatchError } from './errors.ts'
import { listObjects } from './list.ts'
import { acceptObject, asKind } from './metadata-only.ts'
import { creationPath, objectPath } from './paths.ts'
import type { Requester } from './requester.ts'
import { isUnknownPath } from './status.ts'
import type { HttpResponse } from './transport.ts'

/** The typed calls of the API on top of plain requests. */
export class ApiClient implements KubeClient {
  readonly server: string
  readonly #requester: Requester
  readonly #discovery: Discovery
  readonly #close: () => void

  constructor(server: string, requester: Requester, close: () => void) {
    this.server = server
    this.#requester = requester
    this.#discovery = new Discovery(requester)
    this.#close = close
  }

  async request(request: RawRequest): Promise<unknown> {
    return parseBody(await this.#requester.send(request))
  }

  stream(request: StreamRequest): Promise<void> {
    return this.#requester.stream(request)
  }

  resource(kind: KindRef): Promise<ResourceInfo> {
    return this.#discovery.resource(kind)
  }

  resources(): Promise<ResourceInfo[]> {
    return this.#discovery.resources()
  }

  invalidateDiscovery(): void {
    this.#discovery.invalidate()
  }

  async get(kind: KindRef, key: ObjectKey, options: GetOptions = {}): Promise<KubeObject | undefined> {
    const info = await this.resource(kind)
    const { metadataOnly, ...rest } = options
    const request = {
      ...rest,
      method: 'GET',
      path: objectPath(info, key),
      accept: acceptObject(metadataOnly),
    }
    return notFoundAs(undefined, this.#object(info, request))
  }

  async list(kind: KindRef, options: ListOptions = {}): Promise<KubeObject[]> {
    const info = await this.resource(kind)
    const { items } = await this.#served(info, listObjects(this, info, options))
    return items
  }

  async create(object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    const info = await this.resource(gvkOf(object))
    const path = creationPath(info, object)
    return this.#object(info, { ...options, method: 'POST', path, query: writeQuery(options), body: object })
  }

  async apply(object: KubeObject, options: ApplyOptions): Promise<KubeObject> {
    const info = await this.resource(gvkOf(object))
    const { force = true, metadataOnly, subresource, ...rest } = options
    return this.#object(info, {
      ...rest,
      method: 'PATCH',
      path: objectPath(info, object.metadata, subresource),
      query: { ...writeQuery(options), force: String(force) },
      accept: acceptObject(metadataOnly),
      contentType: 'application/apply-patch+yaml',
      body: object,
    })
  }

  mergePatch(kind: KindRef, key: ObjectKey, patch: unknown, options: PatchOptions = {}): Promise<KubeObject> {
    return this.#patch(kind, key, 'application/merge-patch+json', patch, options)
  }

  jsonPatch(
    kind: KindRef,
    key: ObjectKey,
    operations: JsonPatchOperation[],
    options: PatchOptions = {},
  ): Promise<KubeObject> {
    return this.#patch(kind, key, 'application/json-patch+json', operations, options)
  }

  async delete(kind: KindRef, key: ObjectKey, options: DeleteOptions = {}): Promise<boolean> {
    const info = await this.resource(kind)
    const { signal, timeoutMs, impersonate } = options
    const path = objectPath(info, key)
    const body = deleteBody(options)
    const request = this.request({ signal, timeoutMs, impersonate, method: 'DELETE', path, body })
    return notFoundAs(
      false,
      this.#served(
        info,
        request.then(() => true),
      ),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close()
  }

  async #patch(kind: KindRef, key: ObjectKey, contentType: string, body: unknown, options: PatchOptions) {
    const info = await this.resource(kind)
    const path = objectPath(info, key, options.subresource)
    const query = writeQuery(options)
    return this.#object(info, { ...options, method: 'PATCH', path, query, contentType, body })
  }

  async #object(info: ResourceInfo, request: RawRequest): Promise<KubeObject> {
    return asKind((await this.#served(info, this.request(request))) as KubeObject, info)
  }

  /** The cached discovery may be wrong: a kind or version that is no longer served must not look like a missing object. */
  async #served<T>(info: ResourceInfo, answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      if (!isUnknownPath(error)) throw error
      this.#discovery.expire()
      throw new NoMatchError(info)
    }
  }
}

function deleteBody(options: DeleteOptions): Record<string, unknown> {
  const { uid, resourceVersion, propagationPolicy, dryRun } = options
  const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) }
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(uid || resourceVersion ? { preconditions } : {}),
    ...(propagationPolicy ? { propagationPolicy } : {}),
    ...(dryRun ? { dryRun: ['All'] } : {}),
  }
}

function writeQuery(options: WriteOptions): Record<string, string> {
  return {
    ...(options.fieldManager ? { fieldManager: options.fieldManager } : {}),
    ...(options.dryRun ? { dryRun: 'All' } : {}),
  }
}

async function notFoundAs<T, U>(value: U, answer: Promise<T>): Promise<T | U> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof KubeApiError && error.code === 404) return value
    throw error
  }
}

/** JSON as its value, other answers (health checks) as text, an empty one as undefined. */
function parseBody(response: HttpResponse): unknown {
  if (response.body.length === 0) return undefined
  const text = response.body.toString('utf8')
  return response.contentType.includes('json') ? parseJson(text) : text
}
