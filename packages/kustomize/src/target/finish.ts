import { type JsonObject, plainInPlace } from '@setpoint/manifest'
import { BuildError } from '../build-error.ts'
import { checkMetadata } from '../parse/resources.ts'
import {
  originAnnotation,
  originText,
  transformationsAnnotation,
  transformationsText,
} from '../resource/origin.ts'
import type { Resource } from '../resource/resource.ts'
import type { ResourceList } from '../resource/resource-list.ts'
import { addHashes } from '../transformers/hash.ts'
import { setEntries } from '../transformers/meta-entries.ts'
import { fixNameReferences } from '../transformers/name-references.ts'
import { sortResources } from '../transformers/sort-order.ts'
import { resolveVars } from '../transformers/vars.ts'
import type { BuildOptions, BuiltResource } from '../types.ts'
import { isNull } from '../value.ts'
import type { Accumulator } from './accumulator.ts'
import type { TargetContext } from './context.ts'

/** What is done once, at the root: hashes, references, vars, order, labels and annotations of the build itself. */
export function finish(
  context: TargetContext,
  { list, config, vars }: Accumulator,
  options: BuildOptions,
): BuiltResource[] {
  addHashes(list)
  if (config !== undefined) {
    fixNameReferences(list, config.nameReference)
    resolveVars(list, vars, config.varReference)
  }
  dropLocal(list)
  sortOutput(list, context, options)
  addManagedBy(list, context, options)
  return list.items.map((resource) => builtResource(resource, context.buildMetadata))
}

function dropLocal(list: ResourceList): void {
  const kept = list.items.filter((resource) => {
    checkMetadata(resource.object, resource.source)
    const local = resource.annotations.get('config.kubernetes.io/local-config')
    return local === undefined || local === 'false'
  })
  // Renaming may have given two objects one id.
  list.items = []
  list.appendAll(kept)
}

function sortOutput(list: ResourceList, context: TargetContext, options: BuildOptions): void {
  const { sortOptions } = context.kustomization
  if (sortOptions !== undefined) sortResources(list, sortOptions)
  else if (options.reorder !== 'none') sortResources(list, { order: 'legacy' })
}

/** The version whose output this engine gives. */
export const kustomizeVersion = 'v5.8.1'

function addManagedBy(list: ResourceList, context: TargetContext, options: BuildOptions): void {
  if (options.enableManagedByLabel !== true && !context.buildMetadata.includes('managedByLabel')) return
  const labels = { 'app.kubernetes.io/managed-by': `kustomize-${kustomizeVersion}` }
  setEntries(list, labels, [{ path: 'metadata/labels', create: true }])
}

const internal = 'internal.config.kubernetes.io/'
const buildAnnotations = new Set([
  ...['previousKinds', 'previousNames', 'prefixes', 'suffixes', 'previousNamespaces'].map(
    (name) => internal + name,
  ),
  ...['allowNameChange', 'allowKindChange', 'refBy', 'generatorBehavior', 'needsHashSuffix'].map(
    (name) => internal + name,
  ),
  ...['path', 'index', 'seqindent', 'id', 'annotations-migration-resource-id'].map((name) => internal + name),
  'config.kubernetes.io/path',
  'config.kubernetes.io/index',
  'config.k8s.io/id',
  'helm.kustomize.k8s.io/generated',
])

function builtResource(resource: Resource, buildMetadata: string[]): BuiltResource {
  const annotations = resource.annotations
  for (const key of annotations.keys()) if (buildAnnotations.has(key)) annotations.delete(key)
  annotations.delete(originAnnotation)
  annotations.delete(transformationsAnnotation)
  if (buildMetadata.includes('originAnnotations') && resource.origin !== undefined) {
    annotations.set(originAnnotation, originText(resource.origin))
  }
  if (buildMetadata.includes('transformerAnnotations') && resource.transformations.length > 0) {
    annotations.set(transformationsAnnotation, transformationsText(resource.transformations))
  }
  resource.setMetaMap('annotations', annotations)
  checkPrintable(resource)
  return { object: plainInPlace(resource.object) as JsonObject, source: resource.source }
}

function checkPrintable(resource: Resource): void {
  if (!isNull(resource.object.metadata)) return
  throw new BuildError('bad-value', 'metadata is null', resource.source)
}
