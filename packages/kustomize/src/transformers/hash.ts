import { contentHash } from '../generators/hash.ts'
import type { ResourceList } from '../resource/resource-list.ts'

/** Gives generated objects a name that changes with their content. */
export function addHashes(list: ResourceList): void {
  for (const resource of list.items) {
    if (!resource.needsHash) continue
    const hash = contentHash(resource.object)
    resource.storePreviousId()
    resource.setName(`${resource.name}-${hash}`)
  }
}
