import { BuildError } from '../build-error.ts'
import { gvkOf, type NameReference } from '../config/transformer-config.ts'
import { type FieldSpec, visitPath } from '../fields/field-spec.ts'
import {
  describeId,
  effectiveNamespace,
  type Gvk,
  isSelected,
  noNamespace,
  type ResourceId,
} from '../resource/id.ts'
import type { Resource } from '../resource/resource.ts'
import type { ResourceList } from '../resource/resource-list.ts'
import { isList, isMap, isMissingOrNull, overwriteText, textOf, type Value, type ValueMap } from '../value.ts'

/** A resource that others may refer to, with its ids worked out once. */
interface Candidate {
  resource: Resource
  id: ResourceId
  previous: ResourceId[]
  name: string
  namespace: string
}

interface Rule {
  spec: FieldSpec
  target: Gvk
}

/** Fixes what refers to objects by names that they no longer have. */
export function fixNameReferences(list: ResourceList, references: NameReference[]): void {
  const rules = rulesByKind(references)
  const candidates = new Candidates(list.items)
  for (const resource of list.items) {
    const original = resource.originalId
    const ofKind = [...(rules.get(original.kind) ?? []), ...(rules.get('') ?? [])]
    if (ofKind.length === 0) continue
    const referrer = new Referrer(resource, candidates)
    for (const rule of ofKind) {
      if (isSelected(original, rule.spec)) referrer.fix(rule)
    }
  }
}

/** The default references are the same list in every build. */
const knownRules = new WeakMap<NameReference[], Map<string, Rule[]>>()

function rulesByKind(references: NameReference[]): Map<string, Rule[]> {
  const known = knownRules.get(references)
  if (known !== undefined) return known
  const rules = references.flatMap((reference) =>
    reference.fieldSpecs.map((spec) => ({ spec, target: gvkOf(reference) })),
  )
  const byKind = Map.groupBy(rules, (rule) => rule.spec.kind ?? '')
  knownRules.set(references, byKind)
  return byKind
}

class Candidates {
  readonly all: Candidate[]
  readonly byPreviousName = new Map<string, Candidate[]>()

  constructor(resources: Resource[]) {
    this.all = resources.map((resource) => ({
      resource,
      id: resource.id,
      previous: resource.previousIds,
      name: resource.name,
      namespace: resource.namespace,
    }))
    for (const candidate of this.all) {
      const { previous } = candidate
      for (const name of new Set(previous.map((id) => id.name))) {
        const known = this.byPreviousName.get(name)
        if (known === undefined) this.byPreviousName.set(name, [candidate])
        else known.push(candidate)
      }
    }
  }
}

class Referrer {
  readonly resource: Resource
  readonly candidates: Candidates
  readonly id: ResourceId
  readonly accountNamespaces: Set<string>
  private formerNamespaces: Set<string | undefined> | undefined

  constructor(resource: Resource, candidates: Candidates) {
    this.resource = resource
    this.candidates = candidates
    this.id = resource.id
    this.accountNamespaces = namespacesOfAccounts(resource)
  }

  fix({ spec, target }: Rule): void {
    visitPath(this.resource, spec, { change: (value) => this.changed(value ?? null, target, spec.path) })
  }

  changed(value: Value, target: Gvk, path: string): Value {
    if (isMissingOrNull(value)) return value
    if (isMap(value)) return this.changedMap(value, target, path)
    if (!isList(value)) return this.changedScalar(value, target, path)
    for (const [at, item] of value.entries()) {
      if (isList(item)) throw new BuildError('bad-value', 'a reference must be a string or a map')
      value[at] = this.changed(item, target, path)
    }
    return value
  }

  changedScalar(value: Value, target: Gvk, path: string): Value {
    const oldName = textOf(value)
    const found = this.select(oldName, target, path, () => true, sameNames)
    return found === undefined || found.name === oldName ? value : overwriteText(value, found.name)
  }

  changedMap(map: ValueMap, target: Gvk, path: string): Value {
    const name = map.name
    if (name === undefined) throw new BuildError('bad-value', "path config error; no 'name' field in node")
    const oldName = textOf(name)
    const found = this.select(oldName, target, path, this.inNamespaceOf(map), sameNamesAndNamespaces)
    if (found === undefined || (found.name === oldName && found.namespace === '')) return map
    map.name = overwriteText(name, found.name)
    if (found.namespace !== '') map.namespace = overwriteText(map.namespace, found.namespace)
    return map
  }

  /** Candidates that were in the namespace that the reference names; if no object at all was, those that are. */
  inNamespaceOf(map: ValueMap): (candidate: Candidate) => boolean {
    const written = map.namespace
    if (written === undefined) return () => true
    const namespace = textOf(written)
    this.formerNamespaces ??= new Set(
      this.candidates.all.filter((candidate) => this.mayReach(candidate)).map(formerNamespace),
    )
    return this.formerNamespaces.has(namespace)
      ? (candidate) => formerNamespace(candidate) === namespace
      : (candidate) => namespaceOf(candidate.id) === namespace
  }

  select(
    oldName: string,
    target: Gvk,
    path: string,
    inNamespace: (candidate: Candidate) => boolean,
    identical: (candidates: Candidate[]) => boolean,
  ): Candidate | undefined {
    const reachable = (this.candidates.byPreviousName.get(oldName) ?? []).filter((candidate) =>
      this.mayReach(candidate),
    )
    const roleRef = this.roleRef(path)
    let found = reachable
      .filter(inNamespace)
      .filter(({ previous }) => previous.some((id) => isSelected(id, target)))
      .filter(({ previous }) => roleRef === undefined || previous.some((id) => isSelected(id, roleRef)))
      .filter((candidate) => this.sharesNamespace(candidate))
    if (found.length <= 1) return found[0]
    found = found.filter(({ resource }) => sameAffixes(this.resource, resource, true))
    if (found.length > 1) found = found.filter(({ resource }) => sameAffixes(this.resource, resource, false))
    if (found.length <= 1 || identical(found)) return found[0]
    const ids = found.map(({ id }) => describeId(id)).join(', ')
    throw new BuildError(
      'ambiguous-reference',
      `several objects could be meant by '${oldName}': ${ids}`,
      this.resource.source,
    )
  }

  /** An object sees those of its namespace, those without one, and the accounts that a binding names. */
  mayReach({ id, namespace }: Candidate): boolean {
    if (this.id.clusterScoped || id.clusterScoped) return true
    return effectiveNamespace(id) === effectiveNamespace(this.id) || this.accountNamespaces.has(namespace)
  }

  sharesNamespace({ id }: Candidate): boolean {
    if (this.id.clusterScoped || id.clusterScoped || id.kind === 'ServiceAccount') return true
    return effectiveNamespace(id) === effectiveNamespace(this.id)
  }

  roleRef(path: string): Partial<Gvk> | undefined {
    if (!path.endsWith('roleRef/name')) return undefined
    const roleRef = this.resource.object.roleRef
    if (!isMap(roleRef) || roleRef.apiGroup === undefined || roleRef.kind === undefined) return undefined
    return { group: textOf(roleRef.apiGroup), kind: textOf(roleRef.kind) }
  }
}

function namespaceOf(id: ResourceId): string | undefined {
  const namespace = effectiveNamespace(id)
  return namespace === noNamespace ? undefined : namespace
}

/** Where an object was at first. */
function formerNamespace({ previous, id }: Candidate): string | undefined {
  return namespaceOf(previous[0] ?? id)
}

function namespacesOfAccounts(resource: Resource): Set<string> {
  const found = new Set<string>()
  const subjects = resource.kind === 'RoleBinding' ? resource.object.subjects : undefined
  if (!isList(subjects)) return found
  for (const subject of subjects) {
    if (isMap(subject) && subject.namespace !== undefined && textOf(subject.kind) === 'ServiceAccount') {
      if (isMissingOrNull(subject.namespace)) {
        throw new BuildError('bad-value', 'the namespace of a subject is blank', {
          ...resource.source,
          field: 'subjects',
        })
      }
      found.add(textOf(subject.namespace))
    }
  }
  return found
}

function sameNames(candidates: Candidate[]): boolean {
  return candidates.every(({ name }) => name === candidates[0]?.name)
}

function sameNamesAndNamespaces(candidates: Candidate[]): boolean {
  return sameNames(candidates) && candidates.every(({ namespace }) => namespace === candidates[0]?.namespace)
}

/** Objects with the same prefixes and suffixes were built in the same kustomization. */
function sameAffixes(left: Resource, right: Resource, allowEmpty: boolean): boolean {
  return (
    sameEnding(left.prefixes, right.prefixes, allowEmpty) &&
    sameEnding(left.suffixes, right.suffixes, allowEmpty)
  )
}

function sameEnding(left: string[], right: string[], allowEmpty: boolean): boolean {
  const [short, long] = left.length <= right.length ? [left, right] : [right, left]
  if (short.length === 0) return allowEmpty || long.length === 0
  return short.every((text, at) => text === long[at + long.length - short.length])
}
