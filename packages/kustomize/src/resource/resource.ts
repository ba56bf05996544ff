import { BuildError } from '../build-error.ts'
import type { Scopes } from '../merge/schema.ts'
import {
  cloneMap,
  isMap,
  isNilOrEmpty,
  overwriteText,
  stringMap,
  stringValue,
  textOf,
  type ValueMap,
} from '../value.ts'
import {
  effectiveNamespace,
  type Gvk,
  isClusterScoped,
  isSelected,
  parseGroupVersion,
  type ResourceId,
} from './id.ts'
import type { Origin } from './origin.ts'

export type GeneratorBehavior = 'unspecified' | 'create' | 'replace' | 'merge'

export interface ResourceSource {
  file: string
  line: number
}

interface PreviousId {
  name: string
  namespace: string
  kind: string
}

/** An object, and what a build remembers of it: the names that it had, its prefixes, how it was generated. */
export class Resource {
  object: ValueMap
  readonly scopes: Scopes
  source: ResourceSource
  previous: PreviousId[] = []
  prefixes: string[] = []
  suffixes: string[] = []
  behavior: GeneratorBehavior = 'unspecified'
  needsHash = false
  isGenerated = false
  allowNameChange = false
  allowKindChange = false
  referredBy = 0
  varNames: string[] = []
  origin: Origin | undefined
  transformations: Origin[] = []

  constructor(object: ValueMap, scopes: Scopes, source: ResourceSource) {
    this.object = object
    this.scopes = scopes
    this.source = source
  }

  /** Takes up what another build of kustomize noted on the object. */
  readNotes(): void {
    const annotations = this.annotations
    if (Array.isArray(this.metadata()?.annotations))
      throw new BuildError('bad-value', 'must be a map', { ...this.source, field: 'metadata.annotations' })
    const noted = (name: string) => annotations.get(`internal.config.kubernetes.io/${name}`)?.split(',') ?? []
    const [names, namespaces, kinds] = [
      noted('previousNames'),
      noted('previousNamespaces'),
      noted('previousKinds'),
    ]
    if (names.length !== namespaces.length || names.length !== kinds.length) {
      throw new BuildError('bad-value', 'the notes on its previous names do not fit together', this.source)
    }
    this.previous = names.map((name, at) => ({
      name,
      namespace: namespaces[at] ?? '',
      kind: kinds[at] ?? '',
    }))
    this.prefixes = noted('prefixes')
    this.suffixes = noted('suffixes')
  }

  get kind(): string {
    return textOf(this.object.kind)
  }

  get apiVersion(): string {
    return textOf(this.object.apiVersion)
  }

  get gvk(): Gvk {
    return { ...parseGroupVersion(this.apiVersion), kind: this.kind }
  }

  /** True when it is of the type; what the type leaves out is not compared. */
  isOfType(type: Partial<Gvk>): boolean {
    if (type.kind !== undefined && type.kind !== '' && type.kind !== this.kind) return false
    return isSelected(this.gvk, type)
  }

  get name(): string {
    return this.metaText('name')
  }

  get namespace(): string {
    return this.metaText('namespace')
  }

  get labels(): Map<string, string> {
    return stringMap(this.metadata()?.labels)
  }

  get annotations(): Map<string, string> {
    return stringMap(this.metadata()?.annotations)
  }

  /** The id that it has now. */
  get id(): ResourceId {
    const gvk = this.gvk
    return {
      ...gvk,
      name: this.name,
      namespace: this.namespace,
      clusterScoped: isClusterScoped(gvk, this.scopes),
    }
  }

  get previousIds(): ResourceId[] {
    const { group, version } = parseGroupVersion(this.apiVersion)
    return this.previous.map((previous) => ({ group, version, ...previous, clusterScoped: false }))
  }

  /** The id that it had when it was read. */
  get originalId(): ResourceId {
    return this.previousIds[0] ?? this.id
  }

  isEmpty(): boolean {
    return isNilOrEmpty(this.object)
  }

  storePreviousId(): void {
    const id = this.id
    this.previous.push({ name: id.name, namespace: effectiveNamespace(id), kind: id.kind })
    this.checkPrevious()
  }

  /**
   * kustomize notes names in lists parted by commas, leaves out empty ones, and takes an empty list for one name. It
   * gives up where the lists do not fit together.
   */
  checkPrevious(): void {
    if (!this.previous.some((id) => isOdd(id.name) || isOdd(id.namespace) || isOdd(id.kind))) return
    const count = (field: keyof PreviousId) => {
      const texts = this.previous.map((id) => id[field]).filter((text) => text !== '')
      return texts.join(',').split(',').length
    }
    if (count('name') === count('namespace') && count('name') === count('kind')) return
    throw new BuildError('bad-value', 'a name, namespace or kind is empty or holds a comma', this.source)
  }

  /** True when kustomize would hold notes on it in annotations, so that JSON patches find the map. */
  hasBuildNotes(): boolean {
    return (
      this.previous.length > 0 || this.isGenerated || this.prefixes.length > 0 || this.suffixes.length > 0
    )
  }

  setName(name: string): void {
    this.ensureMetadata().name = overwriteText(this.ensureMetadata().name, name)
  }

  setNamespace(namespace: string): void {
    if (namespace === '') {
      const metadata = this.metadata()
      if (metadata !== undefined) delete metadata.namespace
      return
    }
    const metadata = this.ensureMetadata()
    metadata.namespace = overwriteText(metadata.namespace, namespace)
  }

  /** Writes the map anew; its values become strings. An empty one is removed. */
  setMetaMap(field: 'labels' | 'annotations', entries: Map<string, string>): void {
    const metadata = this.ensureMetadata()
    delete metadata[field]
    if (entries.size === 0) return
    const map: ValueMap = {}
    for (const [key, value] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
      map[key] = stringValue(value)
    metadata[field] = map
  }

  /** A copy with its own object. */
  copy(): Resource {
    const copy = new Resource(cloneMap(this.object), this.scopes, this.source)
    copy.copyNotesFrom(this)
    copy.behavior = this.behavior
    copy.needsHash = this.needsHash
    copy.origin = this.origin
    copy.transformations = [...this.transformations]
    return copy
  }

  copyNotesFrom(other: Resource): void {
    this.previous = [...other.previous]
    this.prefixes = [...other.prefixes]
    this.suffixes = [...other.suffixes]
    this.allowNameChange = other.allowNameChange
    this.allowKindChange = other.allowKindChange
    this.isGenerated = other.isGenerated
    this.varNames = [...other.varNames]
  }

  metadata(): ValueMap | undefined {
    const metadata = this.object.metadata
    return isMap(metadata) ? metadata : undefined
  }

  ensureMetadata(): ValueMap {
    const known = this.metadata()
    if (known !== undefined) return known
    const metadata: ValueMap = {}
    this.object.metadata = metadata
    return metadata
  }

  metaText(field: string): string {
    const value = this.metadata()?.[field]
    return isNilOrEmpty(value) ? '' : textOf(value)
  }
}

function isOdd(text: string): boolean {
  return text === '' || text.includes(',')
}
