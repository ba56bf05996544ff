import { BuildError } from '../build-error.ts'
import { isMap, stringValue, type ValueMap, valueText } from '../value.ts'
import { describeId, effectiveNamespace, type ResourceId, sameId } from './id.ts'
import type { Resource } from './resource.ts'

/** The resources of a build, in order. No two have the same current id when they are added. */
export class ResourceList {
  items: Resource[] = []

  append(resource: Resource): void {
    const id = resource.id
    const other = this.items.find((item) => item.name === id.name && sameId(item.id, id))
    if (other !== undefined) {
      throw new BuildError(
        'conflict',
        `may not add resource with an already registered id: ${describeId(id)}${placeOf(other)}`,
        {
          file: resource.source.file,
          line: resource.source.line,
        },
      )
    }
    this.items.push(resource)
  }

  appendAll(resources: Iterable<Resource>): void {
    const taken = new Set(this.items.map((item) => keyOf(item.id)))
    for (const resource of resources) {
      const key = keyOf(resource.id)
      if (taken.has(key)) this.append(resource)
      taken.add(key)
      this.items.push(resource)
    }
  }

  /** Adds what a generator made, or lays it over what is there. */
  absorb(resource: Resource): void {
    const matches = this.matchingAnyId((id) => sameId(id, resource.id))
    const [old] = matches
    if (old === undefined) this.addGenerated(resource)
    else if (matches.length === 1) this.replaceGenerated(old, resource)
    else {
      const ids = matches.map((match) => describeId(match.id)).join(', ')
      throw new BuildError(
        'conflict',
        `several objects could take the generated ${describeId(resource.id)}: ${ids}`,
      )
    }
  }

  addGenerated(resource: Resource): void {
    if (resource.behavior !== 'merge' && resource.behavior !== 'replace') {
      this.append(resource)
      return
    }
    throw new BuildError(
      'resource-not-found',
      `id ${describeId(resource.id)} does not exist; cannot ${resource.behavior} it`,
    )
  }

  replaceGenerated(old: Resource, resource: Resource): void {
    if (resource.behavior !== 'merge' && resource.behavior !== 'replace') {
      throw new BuildError(
        'conflict',
        `id ${describeId(resource.id)} exists; behavior must be merge or replace, not ${resource.behavior}`,
      )
    }
    const merging = resource.behavior === 'merge'
    takeMetadata(resource, old)
    if (merging) {
      mergeData(resource, old, 'data')
      mergeData(resource, old, 'binaryData')
      if (old.origin !== undefined) resource.origin = old.origin
    }
    this.items[this.items.indexOf(old)] = resource
  }

  matchingAnyId(matches: (id: ResourceId) => boolean): Resource[] {
    return this.items.filter(
      (item) => !item.isEmpty() && (matches(item.id) || item.previousIds.some(matches)),
    )
  }

  dropEmpty(): void {
    if (this.items.some((item) => item.isEmpty())) this.items = this.items.filter((item) => !item.isEmpty())
  }
}

export function keyOf(id: ResourceId): string {
  return `${id.group}/${id.version}/${id.kind}|${effectiveNamespace(id)}|${id.name}`
}

/** What a generator lays over an object keeps that object's names; its own labels and annotations win. */
function takeMetadata(resource: Resource, old: Resource): void {
  resource.setMetaMap('labels', new Map([...old.labels, ...resource.labels]))
  resource.setMetaMap('annotations', new Map([...old.annotations, ...resource.annotations]))
  resource.needsHash = resource.needsHash && old.needsHash
  resource.behavior = old.behavior
  resource.setName(old.name)
  resource.setNamespace(old.namespace)
  resource.copyNotesFrom(old)
  resource.transformations = [...old.transformations]
}

function mergeData(resource: Resource, old: Resource, field: 'data' | 'binaryData'): void {
  const merged = new Map<string, string>()
  for (const source of [old.object[field], resource.object[field]]) {
    if (isMap(source)) for (const key in source) merged.set(key, valueText(source[key]))
  }
  delete resource.object[field]
  if (merged.size === 0) return
  const map: ValueMap = {}
  for (const [key, value] of merged) map[key] = stringValue(value)
  resource.object[field] = map
}

/** Where the one before comes from, where it comes from a file. */
function placeOf({ source }: Resource): string {
  return source.file === '' || source.file === undefined ? '' : ` (also in ${source.file})`
}
