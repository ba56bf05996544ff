import type { KubeObject } from '@setpoint/manifest'
import type { KubeClient, ListOptions, ResourceInfo } from './client-types.ts'
import { KubeApiError } from './errors.ts'
import { acceptList, asKind } from './metadata-only.ts'
import { collectionPath } from './paths.ts'

const defaultPageSize = 500
/** How often a list begins anew because the server forgot the snapshot between two pages. */
const maxRestarts = 3

/** All objects of a kind at one moment. */
export interface ObjectList {
  items: KubeObject[]
  /** The moment: a watch from here misses nothing. */
  resourceVersion: string
}

/** Reads all pages. Every page is of the same snapshot. */
export async function listObjects(
  client: Pick<KubeClient, 'request'>,
  info: ResourceInfo,
  options: ListOptions,
): Promise<ObjectList> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await readPages(client, info, options)
    } catch (error) {
      if (!(error instanceof KubeApiError) || error.code !== 410 || restarts >= maxRestarts) throw error
    }
  }
}

interface Page {
  metadata?: { continue?: string; resourceVersion?: string }
  items?: KubeObject[] | null
}

async function readPages(
  client: Pick<KubeClient, 'request'>,
  info: ResourceInfo,
  options: ListOptions,
): Promise<ObjectList> {
  const items: KubeObject[] = []
  let next: string | undefined
  for (;;) {
    const page = await readPage(client, info, options, next)
    for (const item of page.items ?? []) items.push(asKind(item, info))
    next = page.metadata?.continue
    if (!next) return { items, resourceVersion: page.metadata?.resourceVersion ?? '' }
  }
}

async function readPage(
  client: Pick<KubeClient, 'request'>,
  info: ResourceInfo,
  options: ListOptions,
  next: string | undefined,
): Promise<Page> {
  const { namespace, metadataOnly, limit = defaultPageSize, signal, timeoutMs, impersonate } = options
  const answer = await client.request({
    method: 'GET',
    path: collectionPath(info, namespace),
    query: { limit: String(limit), ...selectorQuery(options), ...(next ? { continue: next } : {}) },
    accept: acceptList(metadataOnly),
    signal,
    timeoutMs,
    impersonate,
  })
  return answer as Page
}

/** The selectors of a list or a watch as query parameters. */
export function selectorQuery(options: {
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
}): Record<string, string> {
  return {
    ...(options.labelSelector ? { labelSelector: options.labelSelector } : {}),
    ...(options.fieldSelector ? { fieldSelector: options.fieldSelector } : {}),
  }
}
