import type { KindRef, ResourceInfo } from './client-types.ts'
import { NoMatchError } from './errors.ts'
import type { Requester } from './requester.ts'

/** A miss asks the server again, but not more often than this. */
const minRefreshMs = 1000
/** What is known is checked now and then, for a CRD may have changed its preferred version. */
const maxAgeMs = 10 * 60_000
/** Aggregated discovery: all kinds of all groups in two requests. Served since Kubernetes 1.26. */
const acceptDiscovery =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,' +
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList'

/** The kinds of one discovery document, in the order of preference of the server. */
interface Page {
  etag: string | undefined
  resources: ResourceInfo[]
}

/** What the server serves, kept and renewed. */
export class Discovery {
  readonly #requester: Requester
  readonly #pages = new Map<string, Page>()
  #byKind = new Map<string, ResourceInfo>()
  #refreshing: Promise<void> | undefined
  #refreshed = Number.NEGATIVE_INFINITY
  #stale = false

  constructor(requester: Requester) {
    this.#requester = requester
  }

  async resource(kind: KindRef): Promise<ResourceInfo> {
    const known = this.#byKind.get(keyOf(kind))
    if (known && !this.#isOld(maxAgeMs)) return known
    if (this.#stale || this.#isOld(known ? maxAgeMs : minRefreshMs)) await this.#refresh()
    const found = this.#byKind.get(keyOf(kind))
    if (!found) throw new NoMatchError(kind)
    return found
  }

  async resources(): Promise<ResourceInfo[]> {
    if (this.#stale || this.#isOld(minRefreshMs)) await this.#refresh()
    const preferred = [...this.#byKind].filter(([key]) => key.startsWith('*/'))
    return preferred.map(([, info]) => info)
  }

  invalidate(): void {
    this.#stale = true
  }

  /** What is known proved wrong: ask again before anything is answered from it. */
  expire(): void {
    this.#stale = true
    this.#refreshed = Number.NEGATIVE_INFINITY
  }

  #isOld(ageMs: number): boolean {
    return performance.now() - this.#refreshed > ageMs
  }

  /** Callers that come while one refresh runs share it: a bounded number of requests, however many miss. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#load().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #load(): Promise<void> {
    this.#stale = false
    const pages = await Promise.all(['/api', '/apis'].map((path) => this.#page(path)))
    this.#byKind = indexByKind(pages.flatMap((page) => page.resources))
    this.#refreshed = performance.now()
  }

  async #page(path: string): Promise<Page> {
    const known = this.#pages.get(path)
    const condition = known?.etag ? { 'if-none-match': known.etag } : undefined
    const response = await this.#requester.send({ method: 'GET', path, accept: acceptDiscovery }, condition)
    if (known && response.status === 304) return known
    const page = {
      etag: response.etag,
      resources: parseDiscovery(JSON.parse(response.body.toString('utf8'))),
    }
    this.#pages.set(path, page)
    return page
  }
}

/** Keys: one for each version, and one with `*` for the preferred version. */
function indexByKind(resources: ResourceInfo[]): Map<string, ResourceInfo> {
  const result = new Map<string, ResourceInfo>()
  for (const info of resources) {
    result.set(keyOf(info), info)
    const preferred = keyOf({ group: info.group, kind: info.kind })
    if (!result.has(preferred)) result.set(preferred, info)
  }
  return result
}

function keyOf(kind: KindRef): string {
  return `${kind.version ?? '*'}/${kind.group}/${kind.kind}`
}

interface DiscoveryDocument {
  kind?: string
  items?: Array<{ metadata?: { name?: string }; versions?: DiscoveryVersion[] }>
}

interface DiscoveryVersion {
  version: string
  resources?: Array<{
    resource: string
    scope: string
    verbs?: string[]
    responseKind?: { group?: string; version?: string; kind?: string }
  }>
}

function parseDiscovery(document: DiscoveryDocument): ResourceInfo[] {
  if (document.kind !== 'APIGroupDiscoveryList') {
    throw new Error('the API server has no aggregated discovery: Kubernetes 1.26 or newer is needed')
  }
  return (document.items ?? []).flatMap((item) =>
    (item.versions ?? []).flatMap((version) => resourcesOf(item.metadata?.name ?? '', version)),
  )
}

function resourcesOf(group: string, { version, resources = [] }: DiscoveryVersion): ResourceInfo[] {
  return resources.map((resource) => ({
    group,
    version,
    kind: resource.responseKind?.kind ?? '',
    plural: resource.resource,
    namespaced: resource.scope === 'Namespaced',
    verbs: resource.verbs ?? [],
  }))
}
