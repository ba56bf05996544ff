import { RE2JS } from 're2js'
import { BuildError } from '../build-error.ts'
import type { Selector } from '../kustomization/types.ts'
import { effectiveNamespace, type Gvk, type ResourceId } from './id.ts'
import { parseLabelSelector } from './label-selector.ts'
import type { Resource } from './resource.ts'

type Matches = (text: string) => boolean

/** The patterns of a selector. A part that is not named matches all. */
export class SelectorPatterns {
  readonly group: Matches
  readonly version: Matches
  readonly kind: Matches
  readonly name: Matches
  readonly namespace: Matches

  constructor(selector: Selector) {
    this.group = wholePattern(selector.group, 'group')
    this.version = wholePattern(selector.version, 'version')
    this.kind = wholePattern(selector.kind, 'kind')
    this.name = wholePattern(selector.name, 'name')
    this.namespace = wholePattern(selector.namespace, 'namespace')
  }

  matchesGvk(gvk: Gvk): boolean {
    return this.group(gvk.group) && this.version(gvk.version) && this.kind(gvk.kind)
  }

  matchesId(id: ResourceId): boolean {
    return this.matchesGvk(id) && this.name(id.name) && this.namespace(id.namespace)
  }
}

function wholePattern(pattern: string | undefined, field: string): Matches {
  if (pattern === undefined || pattern === '') return () => true
  if (/^[A-Za-z0-9-]*$/.test(pattern)) return (text) => text === pattern
  const compiled = compilePattern(`^(?:${pattern})$`, pattern, field)
  return (text) => compiled.matcher(text).find()
}

/** Builds of one fleet use the same few patterns, and compiling one takes longer than the rest of its work. */
const knownPatterns = new Map<string, RE2JS>()
const maxKnownPatterns = 1000

/** A regular expression in Go's syntax, which takes linear time. */
export function compilePattern(pattern: string, shown: string, field?: string): RE2JS {
  const known = knownPatterns.get(pattern)
  if (known !== undefined) return known
  try {
    const compiled = RE2JS.compile(pattern)
    if (knownPatterns.size >= maxKnownPatterns) knownPatterns.clear()
    knownPatterns.set(pattern, compiled)
    return compiled
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new BuildError('bad-selector', `'${shown}' is no regular expression: ${reason}`, { field })
  }
}

/** The resources that a selector names, by their names now or as they were read. */
export function selectResources(resources: Resource[], selector: Selector): Resource[] {
  const patterns = new SelectorPatterns(selector)
  const hasLabels = parseLabelSelector(selector.labelSelector ?? '')
  const hasAnnotations = parseLabelSelector(selector.annotationSelector ?? '')
  return resources.filter((resource) => {
    const current = resource.id
    const original = resource.originalId
    if (!patterns.namespace(effectiveNamespace(original)) && !patterns.namespace(effectiveNamespace(current)))
      return false
    if (!patterns.name(original.name) && !patterns.name(current.name)) return false
    return patterns.matchesGvk(current) && hasLabels(resource.labels) && hasAnnotations(resource.annotations)
  })
}
