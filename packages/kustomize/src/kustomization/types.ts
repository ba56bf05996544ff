import type { Json } from '@setpoint/manifest'
import type { FieldSpec } from '../fields/field-spec.ts'

/** Selects objects; each part but the selectors is a regular expression that must match in whole. */
export interface Selector {
  group?: string
  version?: string
  kind?: string
  name?: string
  namespace?: string
  labelSelector?: string
  annotationSelector?: string
}

export interface PatchArgs {
  path?: string
  patch?: string
  target?: Selector
  options?: { allowNameChange?: boolean; allowKindChange?: boolean }
}

export interface GeneratorOptions {
  labels?: Record<string, string>
  annotations?: Record<string, string>
  disableNameSuffixHash?: boolean
  immutable?: boolean
}

export interface GeneratorArgs {
  namespace?: string
  name?: string
  behavior?: string
  literals?: string[]
  files?: string[]
  envs?: string[]
  env?: string
  options?: GeneratorOptions
  /** Of secrets. */
  type?: string
}

export interface Image {
  name?: string
  newName?: string
  tagSuffix?: string
  newTag?: string
  digest?: string
}

export interface Replica {
  name?: string
  count?: number
}

export interface LabelArgs {
  pairs?: Record<string, string>
  includeSelectors?: boolean
  includeTemplates?: boolean
  fields?: FieldSpec[]
}

export interface FieldOptions {
  delimiter?: string
  index?: number
  encoding?: string
  create?: boolean
}

export interface ReplacementSource extends Selector {
  fieldPath?: string
  options?: FieldOptions
}

export interface ReplacementTarget {
  select?: Selector
  reject?: Selector[]
  fieldPaths?: string[]
  options?: FieldOptions
}

export interface Replacement {
  source?: ReplacementSource
  sourceValue?: string
  targets?: ReplacementTarget[]
  path?: string
}

export interface Var {
  name?: string
  objref?: {
    apiVersion?: string
    group?: string
    version?: string
    kind?: string
    name?: string
    namespace?: string
  }
  fieldref?: { fieldPath?: string }
}

export interface SortOptions {
  order?: string
  legacySortOptions?: { orderFirst?: string[]; orderLast?: string[] }
}

/** A kustomization file, as it says. */
export interface Kustomization {
  apiVersion?: string
  kind?: string
  metadata?: {
    name?: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  openapi?: Record<string, string>
  namePrefix?: string
  nameSuffix?: string
  namespace?: string
  commonLabels?: Record<string, string>
  labels?: LabelArgs[]
  commonAnnotations?: Record<string, string>
  patchesStrategicMerge?: string[]
  patchesJson6902?: PatchArgs[]
  patches?: PatchArgs[]
  images?: Image[]
  imageTags?: Image[]
  replacements?: Replacement[]
  replicas?: Replica[]
  vars?: Var[]
  sortOptions?: SortOptions
  resources?: string[]
  components?: string[]
  crds?: string[]
  bases?: string[]
  configMapGenerator?: GeneratorArgs[]
  secretGenerator?: GeneratorArgs[]
  helmGlobals?: Json
  helmCharts?: Json[]
  helmChartInflationGenerator?: Json[]
  generatorOptions?: GeneratorOptions
  configurations?: string[]
  generators?: string[]
  transformers?: string[]
  validators?: string[]
  buildMetadata?: string[]
}
