import type { KubeClient } from '@setpoint/kube'

/** The same client, telling the verb of every request that goes out. Dry runs have a verb of their own: they write nothing. */
export function countRequests(kube: KubeClient, count: (verb: string) => void): KubeClient {
  const counted = <T>(verb: string, send: () => T): T => {
    count(verb)
    return send()
  }
  const written = <T>(
    verb: string,
    options: { dryRun?: boolean | undefined } | undefined,
    send: () => T,
  ): T => counted(options?.dryRun ? 'dry-run' : verb, send)
  return {
    server: kube.server,
    resource: (kind) => kube.resource(kind),
    resources: () => kube.resources(),
    invalidateDiscovery: () => kube.invalidateDiscovery(),
    request: (request) => counted(request.method.toLowerCase(), () => kube.request(request)),
    stream: (request) => counted('watch', () => kube.stream(request)),
    get: (kind, key, options) => counted('get', () => kube.get(kind, key, options)),
    list: (kind, options) => counted('list', () => kube.list(kind, options)),
    create: (object, options) => written('create', options, () => kube.create(object, options)),
    apply: (object, options) => written('apply', options, () => kube.apply(object, options)),
    mergePatch: (kind, key, patch, options) =>
      written('patch', options, () => kube.mergePatch(kind, key, patch, options)),
    jsonPatch: (kind, key, operations, options) =>
      written('patch', options, () => kube.jsonPatch(kind, key, operations, options)),
    delete: (kind, key, options) => written('delete', options, () => kube.delete(kind, key, options)),
    [Symbol.asyncDispose]: () => kube[Symbol.asyncDispose](),
  }
}
