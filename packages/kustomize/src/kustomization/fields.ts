import { list, type Shape, stringMap, strings, struct } from './shape.ts'

const gvkFields: Record<string, Shape> = { group: 'string', version: 'string', kind: 'string' }
const idFields: Record<string, Shape> = { ...gvkFields, name: 'string', namespace: 'string' }

export const fieldSpecShape = struct({ ...gvkFields, path: 'string', create: 'bool' })
export const fieldSpecsShape: Shape = list(fieldSpecShape)

export const selectorShape = struct({ ...idFields, labelSelector: 'string', annotationSelector: 'string' })

const patchOptionsShape = struct({ allowNameChange: 'bool', allowKindChange: 'bool' })

export const patchShape = struct({
  path: 'string',
  patch: 'string',
  target: selectorShape,
  options: patchOptionsShape,
})

const generatorOptionsShape = struct({
  labels: stringMap,
  annotations: stringMap,
  disableNameSuffixHash: 'bool',
  immutable: 'bool',
})

export const generatorFields: Record<string, Shape> = {
  namespace: 'string',
  name: 'string',
  behavior: 'string',
  literals: strings,
  files: strings,
  envs: strings,
  env: 'string',
  options: generatorOptionsShape,
}

export const imageShape = struct({
  name: 'string',
  newName: 'string',
  tagSuffix: 'string',
  newTag: 'string',
  digest: 'string',
})

export const replicaShape = struct({ name: 'string', count: 'int' })

const fieldOptionsShape = struct({ delimiter: 'string', index: 'int', encoding: 'string', create: 'bool' })

export const replacementShape = struct({
  source: struct({ ...idFields, fieldPath: 'string', options: fieldOptionsShape }),
  sourceValue: 'string',
  targets: list(
    struct({
      select: selectorShape,
      reject: list(selectorShape),
      fieldPaths: strings,
      options: fieldOptionsShape,
    }),
  ),
  path: 'string',
})

const varShape = struct({
  name: 'string',
  objref: struct({ apiVersion: 'string', ...idFields }),
  fieldref: struct({ fieldPath: 'string' }),
})

export const metadataShape = struct({
  name: 'string',
  namespace: 'string',
  labels: stringMap,
  annotations: stringMap,
})

const labelShape = struct({
  pairs: stringMap,
  includeSelectors: 'bool',
  includeTemplates: 'bool',
  fields: fieldSpecsShape,
})

/** Every field of a kustomization file. */
export const kustomizationShape = struct({
  apiVersion: 'string',
  kind: 'string',
  metadata: metadataShape,
  openapi: stringMap,
  namePrefix: 'string',
  nameSuffix: 'string',
  namespace: 'string',
  commonLabels: stringMap,
  labels: list(labelShape),
  commonAnnotations: stringMap,
  patchesStrategicMerge: strings,
  patchesJson6902: list(patchShape),
  patches: list(patchShape),
  images: list(imageShape),
  imageTags: list(imageShape),
  replacements: list(replacementShape),
  replicas: list(replicaShape),
  vars: list(varShape),
  sortOptions: struct({
    order: 'string',
    legacySortOptions: struct({ orderFirst: strings, orderLast: strings }),
  }),
  resources: strings,
  components: strings,
  crds: strings,
  bases: strings,
  configMapGenerator: list(struct(generatorFields)),
  secretGenerator: list(struct({ ...generatorFields, type: 'string' })),
  helmGlobals: 'any',
  helmCharts: list('any'),
  helmChartInflationGenerator: list('any'),
  generatorOptions: generatorOptionsShape,
  configurations: strings,
  generators: strings,
  transformers: strings,
  validators: strings,
  buildMetadata: strings,
})
