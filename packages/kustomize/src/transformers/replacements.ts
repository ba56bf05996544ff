import { BuildError } from '../build-error.ts'
import { lookUp } from '../fields/lookup.ts'
import { type CreateKind, matchPath, type Slot } from '../fields/match.ts'
import { splitFieldPath } from '../fields/path.ts'
import { decode as decodeConfig } from '../kustomization/decode.ts'
import { replacementShape } from '../kustomization/fields.ts'
import { list as listShape } from '../kustomization/shape.ts'
import type { FieldOptions, Replacement, ReplacementTarget, Selector } from '../kustomization/types.ts'
import { effectiveNamespace, isSelected, type ResourceId } from '../resource/id.ts'
import { parseLabelSelector } from '../resource/label-selector.ts'
import type { Resource } from '../resource/resource.ts'
import type { ResourceList } from '../resource/resource-list.ts'
import { SelectorPatterns } from '../resource/selector.ts'
import type { TargetContext } from '../target/context.ts'
import {
  cloneValue,
  isList,
  isNilOrEmpty,
  isScalar,
  kindOf,
  plainText,
  SourceText,
  textOf,
  type Value,
  valueText,
} from '../value.ts'
import type { Transform } from './patch.ts'
import { writeScalar } from './scalar-text.ts'
import { setInStructuredData } from './structured-data.ts'

const defaultFieldPath = 'metadata.name'

/** `replacements`: copies values from one object to fields of others. Entries may name a file of replacements. */
export function makeReplacements(entries: Replacement[], context: TargetContext): Transform {
  const replacements = entries.flatMap((entry) => loadReplacements(entry, context))
  return (list) => {
    for (const replacement of replacements) replaceAll(list, replacement)
  }
}

function loadReplacements(entry: Replacement, context: TargetContext): Replacement[] {
  const { path = '', source, targets = [] } = entry
  if (path === '') return [entry]
  if (source !== undefined || targets.length > 0) {
    throw new BuildError('bad-value', 'cannot specify both path and inline replacement', {
      field: 'replacements',
    })
  }
  const file = context.loader.load(path)
  const value = context.parser.configuration(file)
  const options = { strict: false, coerce: true }
  if (value === undefined || isScalar(value)) {
    throw new BuildError('bad-value', 'a replacement file must hold a map or a list', { file: file.path })
  }
  if (isList(value)) return decodeConfig<Replacement[]>(value, listShape(replacementShape), options) ?? []
  return [decodeConfig<Replacement>(value, replacementShape, options) ?? {}]
}

function replaceAll(list: ResourceList, replacement: Replacement): void {
  const { source, sourceValue, targets } = replacement
  if ((source === undefined && sourceValue === undefined) || targets === undefined) {
    throw new BuildError('bad-value', 'must specify a source and at least one target', {
      field: 'replacements',
    })
  }
  if (source !== undefined && sourceValue !== undefined) {
    throw new BuildError('bad-value', 'source and sourceValue are mutually exclusive', {
      field: 'replacements',
    })
  }
  const read = sourceValue === undefined ? readerOf(list, replacement) : () => plainText(sourceValue)
  for (const target of targets) applyTarget(list, target, read)
}

/** Reads the source anew for each target: it may be a target itself, and the next ones then get what became of it. */
function readerOf(list: ResourceList, { source = {} }: Replacement): () => Value {
  const resource = findSource(list, source)
  const fieldPath = source.fieldPath || defaultFieldPath
  const path = splitFieldPath(fieldPath, '.')
  const value = lookUp(resource.object, path)
  if (isNilOrEmpty(value) || value === undefined) {
    throw new BuildError(
      'resource-not-found',
      `fieldPath '${fieldPath}' is missing in the source ${describeSelector(source)}`,
      resource.source,
    )
  }
  const first = refine(value, source.options)
  return first === value && isScalar(value) ? () => lookUp(resource.object, path) ?? value : () => first
}

function findSource(list: ResourceList, selector: Selector): Resource {
  const matches = list.items.filter((resource) => idsOf(resource).some((id) => isSource(id, selector)))
  const [match] = matches
  if (match !== undefined && matches.length === 1) return match
  const problem = matches.length === 0 ? 'nothing selected by' : 'multiple matches for'
  throw new BuildError('resource-not-found', `${problem} the source ${describeSelector(selector)}`, {
    field: 'replacements',
  })
}

function isSource(id: ResourceId, { name = '', namespace = '', ...gvk }: Selector): boolean {
  if (name !== '' && name !== id.name) return false
  if (namespace !== '' && namespace !== effectiveNamespace(id)) return false
  return isSelected(id, gvk)
}

/** The ids it has and had; a namespace is taken as it is written. */
function idsOf(resource: Resource): ResourceId[] {
  return [{ ...resource.id, clusterScoped: false }, ...resource.previousIds]
}

function describeSelector({ group, version, kind, name, namespace }: Selector): string {
  return `${kind || '*'}.${version || '*'}.${group || '*'}/${name || '*'}.${namespace || '*'}`
}

function refine(value: Value, options: FieldOptions | undefined): Value {
  const { delimiter = '', index = 0 } = options ?? {}
  if (delimiter === '') return value
  if (!isScalar(value))
    throw new BuildError('bad-value', 'the delimiter option can only be used with scalars')
  const part = index < 0 ? undefined : textOf(value).split(delimiter)[index]
  if (part === undefined)
    throw new BuildError('bad-value', `options.index ${index} is out of bounds for value ${textOf(value)}`)
  return SourceText.quoted(part)
}

function applyTarget(list: ResourceList, target: ReplacementTarget, read: () => Value): void {
  const { select, reject = [] } = target
  if (select === undefined)
    throw new BuildError('bad-value', 'a target must specify resources to select', { field: 'replacements' })
  const patterns = new SelectorPatterns(select)
  const chosen = hasMeta(select)
  const rejections = reject.map((selector) => ({
    selector,
    patterns: new SelectorPatterns(selector),
    matches: hasMeta(selector),
  }))
  for (const resource of list.items) {
    const ids = idsOf(resource)
    if (!chosen(resource) || rejections.some((rejection) => isRejected(rejection, resource, ids))) continue
    if (ids.some((id) => patterns.matchesId(id))) copyToTarget(resource, target, read)
  }
}

interface Rejection {
  selector: Selector
  patterns: SelectorPatterns
  matches: (resource: Resource) => boolean
}

function isRejected(
  { selector, patterns, matches }: Rejection,
  resource: Resource,
  ids: ResourceId[],
): boolean {
  const { group, version, kind, name, namespace, labelSelector = '', annotationSelector = '' } = selector
  if ((labelSelector !== '' || annotationSelector !== '') && matches(resource)) return true
  const namesId = [group, version, kind, name, namespace].some((part) => part !== undefined && part !== '')
  return namesId && ids.some((id) => patterns.matchesId(id))
}

function hasMeta({ labelSelector = '', annotationSelector = '' }: Selector): (resource: Resource) => boolean {
  const labels = parseLabelSelector(labelSelector)
  const annotations = parseLabelSelector(annotationSelector)
  return (resource) => labels(resource.labels) && annotations(resource.annotations)
}

function copyToTarget(resource: Resource, target: ReplacementTarget, read: () => Value): void {
  const fieldPaths =
    target.fieldPaths === undefined || target.fieldPaths.length === 0 ? [defaultFieldPath] : target.fieldPaths
  const kind = kindOf(read())
  const create: CreateKind = target.options?.create === true ? (kind === 'none' ? 'scalar' : kind) : undefined
  for (const fieldPath of fieldPaths) {
    if (fieldPath === '' && create !== undefined)
      throw new BuildError('bad-value', 'must not be empty', { field: 'fieldPaths' })
    const path = splitFieldPath(fieldPath, '.')
    if (setInStructuredData(resource.object, path, read(), create)) continue
    const slots = findFields(resource, path, fieldPath, create)
    for (const slot of slots) setField(slot, read(), target.options)
  }
}

function findFields(resource: Resource, path: string[], fieldPath: string, create: CreateKind): Slot[] {
  const root: Slot = { get: () => resource.object, set: () => {} }
  const verb = create === undefined ? 'find' : 'find or create'
  const place = { ...resource.source, field: fieldPath }
  try {
    const slots = matchPath(root, path, create)
    if (slots.length > 0) return slots
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    throw new BuildError(
      'resource-not-found',
      `unable to ${verb} the field in the target: ${error.message}`,
      place,
    )
  }
  throw new BuildError('resource-not-found', `unable to ${verb} the field in the target`, place)
}

function setField(slot: Slot, value: Value, options: FieldOptions | undefined): void {
  const old = slot.get()
  const { delimiter = '' } = options ?? {}
  if (delimiter !== '' && !isScalar(old)) {
    throw new BuildError('bad-value', 'the delimiter option can only be used with scalars')
  }
  if (!isScalar(old)) slot.set(cloneValue(value))
  else slot.set(writeScalar(old, delimiter === '' ? textOf(value) : spliced(old, value, options)))
}

/** The text with one part of it replaced; before the first or behind the last, a part is added. */
function spliced(old: Value, value: Value, { delimiter = '', index = 0 }: FieldOptions = {}): string {
  const parts = textOf(old).split(delimiter)
  const text = valueText(value)
  if (index < 0) parts.unshift(text)
  else if (index >= parts.length) parts.push(text)
  else parts[index] = text
  return parts.join(delimiter)
}
