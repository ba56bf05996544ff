import type { KubeClient, RequestOptions } from '@setpoint/kube'

/**
 * The same client, acting as another user. The API server gives a service account its groups itself. What is looked up
 * about kinds, and streams, stays with the client's own identity: neither shows an object's content.
 */
export function clientAs(kube: KubeClient, user: string): KubeClient {
  return throughout(kube, { options: (options) => ({ ...options, impersonate: user }) })
}

interface Change {
  options?(options: RequestOptions | undefined): RequestOptions | undefined
  failed?(error: unknown): unknown
}

/** A client whose calls are all changed alike: with other options, or failing with another error. */
export function throughout(kube: KubeClient, change: Change): KubeClient {
  const options = <T extends RequestOptions>(given: T | undefined): T =>
    (change.options?.(given) ?? given) as T
  const failed = (error: unknown): never => {
    throw change.failed?.(error) ?? error
  }
  return {
    server: kube.server,
    invalidateDiscovery: () => kube.invalidateDiscovery(),
    stream: (request) => kube.stream(request),
    resource: (kind) => kube.resource(kind).catch(failed),
    resources: () => kube.resources().catch(failed),
    request: (request) => kube.request(options(request)).catch(failed),
    get: (kind, key, given) => kube.get(kind, key, options(given)).catch(failed),
    list: (kind, given) => kube.list(kind, options(given)).catch(failed),
    create: (object, given) => kube.create(object, options(given)).catch(failed),
    apply: (object, given) => kube.apply(object, options(given)).catch(failed),
    mergePatch: (kind, key, patch, given) => kube.mergePatch(kind, key, patch, options(given)).catch(failed),
    jsonPatch: (kind, key, operations, given) =>
      kube.jsonPatch(kind, key, operations, options(given)).catch(failed),
    delete: (kind, key, given) => kube.delete(kind, key, options(given)).catch(failed),
    [Symbol.asyncDispose]: () => kube[Symbol.asyncDispose](),
  }
}
