import { BuildError, within } from '../build-error.ts'
import { mergeSpecs, type TransformerConfig } from '../config/transformer-config.ts'
import type { FieldSpec } from '../fields/field-spec.ts'
import { printJson } from '../json-text.ts'
import type { LabelArgs, Replacement } from '../kustomization/types.ts'
import type { Origin } from '../resource/origin.ts'
import { keyOf, type ResourceList } from '../resource/resource-list.ts'
import { transformImages } from '../transformers/images.ts'
import { setEntries } from '../transformers/meta-entries.ts'
import { transformNamespace } from '../transformers/namespace.ts'
import { makeJson6902Patch, makeStrategicMergePatches } from '../transformers/old-patches.ts'
import { makePatch, type Transform } from '../transformers/patch.ts'
import { addPrefix, addSuffix } from '../transformers/prefix-suffix.ts'
import { makeReplacements } from '../transformers/replacements.ts'
import { setReplicas } from '../transformers/replicas.ts'
import { cloneMap, isMap, type ValueMap } from '../value.ts'
import type { Accumulator } from './accumulator.ts'
import type { TargetContext } from './context.ts'
import { builtinOrigin } from './generators.ts'
import { loadPlugins } from './plugin-configs.ts'
import { transformerByPlugin } from './plugins.ts'

interface Step {
  run: Transform
  field: string
  origin: Origin | undefined
}

/** Runs what changes the resources, in kustomize's order. All is configured before the first runs. */
export function runTransformers(context: TargetContext, into: Accumulator): void {
  const config = into.config
  if (config === undefined) return
  const steps = [...builtinSteps(context, config), ...pluginSteps(context)]
  for (const step of steps) {
    within({ file: context.file, field: step.field }, () => step.run(into.list))
    if (step.origin !== undefined) noteTransformer(into.list, step.origin)
    into.list.dropEmpty()
  }
}

type Maker = (context: TargetContext, config: TransformerConfig) => [field: string, run: Transform][]

/** The fields of a kustomization file that change resources, each with the kind that does the work. */
const makers: [kind: string, make: Maker][] = [
  [
    'PatchStrategicMergeTransformer',
    (context) => {
      const patches = context.kustomization.patchesStrategicMerge ?? []
      const field = 'patchesStrategicMerge'
      if (patches.length === 0) return []
      return [[field, within({ field }, () => makeStrategicMergePatches(patches, context))]]
    },
  ],
  [
    'PatchTransformer',
    (context) => each(context.kustomization.patches, 'patches', (patch) => makePatch(patch, context)),
  ],
  [
    'NamespaceTransformer',
    ({ kustomization }, config) => {
      const { namespace = '' } = kustomization
      if (namespace === '') return []
      return [['namespace', (list) => transformNamespace(list, { namespace, fieldSpecs: config.namespace })]]
    },
  ],
  [
    'PrefixTransformer',
    ({ kustomization }, config) => {
      const { namePrefix = '' } = kustomization
      return namePrefix === ''
        ? []
        : [['namePrefix', (list) => addPrefix(list, namePrefix, config.namePrefix)]]
    },
  ],
  [
    'SuffixTransformer',
    ({ kustomization }, config) => {
      const { nameSuffix = '' } = kustomization
      return nameSuffix === ''
        ? []
        : [['nameSuffix', (list) => addSuffix(list, nameSuffix, config.nameSuffix)]]
    },
  ],
  ['LabelTransformer', labelSteps],
  [
    'AnnotationsTransformer',
    ({ kustomization }, config) => {
      const { commonAnnotations = {} } = kustomization
      if (Object.keys(commonAnnotations).length === 0) return []
      return [['commonAnnotations', (list) => setEntries(list, commonAnnotations, config.commonAnnotations)]]
    },
  ],
  [
    'PatchJson6902Transformer',
    (context) =>
      each(context.kustomization.patchesJson6902, 'patchesJson6902', (patch) =>
        makeJson6902Patch(patch, context),
      ),
  ],
  [
    'ReplicaCountTransformer',
    ({ kustomization }, config) =>
      each(
        kustomization.replicas,
        'replicas',
        (replica) => (list) => setReplicas(list, replica, config.replicas),
      ),
  ],
  [
    'ImageTagTransformer',
    ({ kustomization }, config) =>
      each(kustomization.images, 'images', (image) => (list) => transformImages(list, image, config.images)),
  ],
  [
    'ReplacementTransformer',
    (context) => {
      const replacements = (context.kustomization.replacements ?? []).map(withoutEmptyTargets)
      return replacements.length === 0 ? [] : [['replacements', makeReplacements(replacements, context)]]
    },
  ],
]

/** kustomize writes its fields out again for the transformer, and leaves out what is empty. */
function withoutEmptyTargets({ targets, ...rest }: Replacement): Replacement {
  return targets === undefined || targets.length === 0 ? rest : { ...rest, targets }
}

function each<Entry>(
  entries: Entry[] | undefined,
  field: string,
  make: (entry: Entry) => Transform,
): [string, Transform][] {
  return (entries ?? []).map((entry, at) => {
    const place = `${field}[${at}]`
    return [place, within({ field: place }, () => make(entry))]
  })
}

function labelSteps({ kustomization }: TargetContext, config: TransformerConfig): [string, Transform][] {
  const { labels = [], commonLabels = {} } = kustomization
  const steps = each(labels, 'labels', (label) => {
    const specs = labelSpecs(label, config)
    return (list) => setEntries(list, label.pairs ?? {}, specs)
  })
  if (labels.length === 0 && Object.keys(commonLabels).length === 0) return []
  return [...steps, ['commonLabels', (list) => setEntries(list, commonLabels, config.commonLabels)]]
}

function labelSpecs(label: LabelArgs, config: TransformerConfig): FieldSpec[] {
  const own = mergeSpecs(label.fields ?? [], config.labels, 'labels.fields')
  if (label.includeSelectors === true) return mergeSpecs(own, config.commonLabels, 'labels.fields')
  const inTemplates =
    label.includeTemplates === true ? mergeSpecs(own, config.templateLabels, 'labels.fields') : own
  return mergeSpecs(inTemplates, [{ path: 'metadata/labels', create: true }], 'labels.fields')
}

function builtinSteps(context: TargetContext, config: TransformerConfig): Step[] {
  return makers.flatMap(([kind, make]) => {
    const origin = builtinOrigin(context, kind)
    return make(context, config).map(([field, run]) => ({ run, field, origin }))
  })
}

function pluginSteps(context: TargetContext): Step[] {
  return loadPlugins(context, context.kustomization.transformers ?? [], 'transformers').map(
    ({ resource, origin }) => ({
      run: within(resource.source, () => transformerByPlugin(resource, context)),
      field: 'transformers',
      origin,
    }),
  )
}

function noteTransformer(list: ResourceList, origin: Origin): void {
  for (const resource of list.items) {
    if (resource.isEmpty()) continue
    if (resource.origin === undefined) resource.origin = origin
    else resource.transformations.push(origin)
    // kustomize writes its note among the annotations, which makes strings of them all.
    resource.setMetaMap('annotations', resource.annotations)
  }
}

/** Validators are transformers that must not change anything, but for the label that says that they ran. */
export function runValidators(context: TargetContext, into: Accumulator): void {
  for (const { resource } of loadPlugins(context, context.kustomization.validators ?? [], 'validators')) {
    const validate = within(resource.source, () => transformerByPlugin(resource, context))
    const before = snapshot(into.list)
    validate(into.list)
    if (snapshot(into.list) === before) continue
    throw new BuildError(
      'validation-failed',
      `the validator ${resource.kind}/${resource.name} changed resources`,
      resource.source,
    )
  }
}

function snapshot(list: ResourceList): string {
  return list.items
    .map((item) => `${keyOf(item.id)} ${printJson(withoutValidatedBy(item.object))}`)
    .join('\n')
}

function withoutValidatedBy(object: ValueMap): ValueMap {
  const copy = cloneMap(object)
  const metadata = copy.metadata
  const labels = isMap(metadata) ? metadata.labels : undefined
  if (isMap(labels)) delete labels['validated-by']
  return copy
}
