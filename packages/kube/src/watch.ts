import { type KubeObject, parseJson } from '@setpoint/manifest'
import type { KubeClient, ResourceInfo } from './client-types.ts'
import { selectorQuery } from './list.ts'
import { acceptObject, asKind } from './metadata-only.ts'
import { collectionPath } from './paths.ts'
import { errorOfStatus } from './status.ts'

/** The server ends a watch after this long, spread so that not all end at once. As client-go does. */
const minWatchSeconds = 300
const maxWatchSeconds = 600

export interface WatchOptions {
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
  metadataOnly?: boolean | undefined
  /** Where to begin: just after this. */
  resourceVersion: string
  signal: AbortSignal
  onOpen(): void
  /** BOOKMARK says only how far the watch has come. */
  onEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK', object: KubeObject): void
}

/**
 * One watch, until the server ends it.
 * @throws KubeApiError, with code 410 when the resource version is too old to go on from
 */
export async function watchObjects(
  client: KubeClient,
  info: ResourceInfo,
  options: WatchOptions,
): Promise<void> {
  const seconds = minWatchSeconds + Math.floor(Math.random() * (maxWatchSeconds - minWatchSeconds))
  await client.stream({
    path: collectionPath(info, options.namespace),
    query: {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: options.resourceVersion,
      timeoutSeconds: String(seconds),
      ...selectorQuery(options),
    },
    accept: acceptObject(options.metadataOnly),
    signal: options.signal,
    onOpen: () => options.onOpen(),
    onLine: (line) => deliver(line, info, options),
  })
}

function deliver(line: string, info: ResourceInfo, options: WatchOptions): void {
  const event = parseJson(line) as unknown as { type: string; object: KubeObject }
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
    case 'BOOKMARK':
      options.onEvent(event.type, asKind(event.object, info))
      return
    case 'ERROR':
      throw errorOfStatus(event.object as unknown as Record<string, unknown>, 500)
  }
}
