import { BuildError } from '../build-error.ts'
import type { FieldSpec } from '../fields/field-spec.ts'
import { baseName } from '../files/paths.ts'
import { generateConfigMap, generateSecret } from '../generators/generate.ts'
import { generateIamPolicy, type IamPolicyArgs } from '../generators/iam-policy.ts'
import { decode } from '../kustomization/decode.ts'
import {
  fieldSpecsShape,
  generatorFields,
  imageShape,
  metadataShape,
  patchShape,
  replacementShape,
  replicaShape,
  selectorShape,
} from '../kustomization/fields.ts'
import { list, type Shape, stringMap, strings, struct } from '../kustomization/shape.ts'
import type { GeneratorArgs, Image, PatchArgs, Replacement, Replica } from '../kustomization/types.ts'
import type { Resource } from '../resource/resource.ts'
import { addHashes } from '../transformers/hash.ts'
import { transformImages } from '../transformers/images.ts'
import { setEntries } from '../transformers/meta-entries.ts'
import { checkSubjectMode, transformNamespace } from '../transformers/namespace.ts'
import { makeJson6902Patch, makeStrategicMergePatches } from '../transformers/old-patches.ts'
import { makePatch, type Transform } from '../transformers/patch.ts'
import { addPrefix, addSuffix } from '../transformers/prefix-suffix.ts'
import { makeReplacements } from '../transformers/replacements.ts'
import { setReplicas } from '../transformers/replicas.ts'
import { addValue, type ValueAddTarget } from '../transformers/value-add.ts'
import type { TargetContext } from './context.ts'

interface Metadata {
  name?: string
  namespace?: string
}

/** Makes what a generator object asks for. Only the builtin kinds are known. */
export function generateByPlugin(config: Resource, context: TargetContext): Resource {
  requireBuiltin(config)
  const generateContext = { loader: context.loader, scopes: context.schemas, source: config.source }
  switch (config.kind) {
    case 'ConfigMapGenerator':
      return generateConfigMap(generatorArgs(config), generateContext)
    case 'SecretGenerator':
      return generateSecret(generatorArgs(config), generateContext)
    case 'IAMPolicyGenerator':
      return generateIamPolicy(read<IamPolicyArgs>(config, iamFields), context.schemas, config.source)
    default:
      throw unknownPlugin(config, 'generator')
  }
}

function generatorArgs(config: Resource): GeneratorArgs {
  const { metadata, ...args } = read<GeneratorArgs & { metadata?: Metadata }>(config, {
    ...generatorFields,
    type: 'string',
    metadata: metadataShape,
  })
  const name = args.name || metadata?.name
  const namespace = args.namespace || metadata?.namespace
  return {
    ...args,
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
  }
}

const iamFields: Record<string, Shape> = {
  cloud: 'string',
  kubernetesService: struct({ name: 'string', namespace: 'string' }),
  serviceAccount: struct({ name: 'string', projectId: 'string' }),
}

/** The transformer that an object configures. Only the builtin kinds are known. */
export function transformerByPlugin(config: Resource, context: TargetContext): Transform {
  requireBuiltin(config)
  const make = transformers[config.kind]
  if (make === undefined) throw unknownPlugin(config, 'transformer')
  return make(config, context)
}

type Make = (config: Resource, context: TargetContext) => Transform

const transformers: Record<string, Make> = {
  AnnotationsTransformer: (config) => {
    const { annotations, fieldSpecs } = read<{
      annotations?: Record<string, string>
      fieldSpecs?: FieldSpec[]
    }>(config, {
      annotations: stringMap,
      fieldSpecs: fieldSpecsShape,
    })
    return (resources) => setEntries(resources, annotations ?? {}, fieldSpecs ?? [])
  },
  HashTransformer: () => addHashes,
  ImageTagTransformer: (config) => {
    const { imageTag, fieldSpecs } = read<{ imageTag?: Image; fieldSpecs?: FieldSpec[] }>(config, {
      imageTag: imageShape,
      fieldSpecs: fieldSpecsShape,
    })
    return (resources) => transformImages(resources, imageTag ?? {}, fieldSpecs ?? [])
  },
  LabelTransformer: (config) => {
    const { labels, fieldSpecs } = read<{ labels?: Record<string, string>; fieldSpecs?: FieldSpec[] }>(
      config,
      {
        labels: stringMap,
        fieldSpecs: fieldSpecsShape,
      },
    )
    return (resources) => setEntries(resources, labels ?? {}, fieldSpecs ?? [])
  },
  NamespaceTransformer: makeNamespace,
  PatchJson6902Transformer: (config, context) => {
    const { jsonOp, ...args } = read<PatchArgs & { jsonOp?: string }>(config, {
      target: selectorShape,
      path: 'string',
      jsonOp: 'string',
    })
    return makeJson6902Patch(jsonOp === undefined ? args : { ...args, patch: jsonOp }, context)
  },
  PatchStrategicMergeTransformer: (config, context) => {
    const { paths, patches } = read<{ paths?: string[]; patches?: string }>(config, {
      paths: strings,
      patches: 'string',
    })
    return makeStrategicMergePatches(paths ?? [], context, patches)
  },
  PatchTransformer: (config, context) => makePatch(read<PatchArgs>(config, patchShape.fields), context),
  PrefixSuffixTransformer: (config) => {
    const { prefix, suffix, fieldSpecs } = readAffixes(config)
    return (resources) => {
      addPrefix(resources, prefix ?? '', fieldSpecs)
      addSuffix(resources, suffix ?? '', fieldSpecs)
    }
  },
  PrefixTransformer: (config) => {
    const { prefix, fieldSpecs } = readAffixes(config)
    return (resources) => addPrefix(resources, prefix ?? '', fieldSpecs)
  },
  SuffixTransformer: (config) => {
    const { suffix, fieldSpecs } = readAffixes(config)
    return (resources) => addSuffix(resources, suffix ?? '', fieldSpecs)
  },
  ReplacementTransformer: (config, context) => {
    const { replacements } = read<{ replacements?: Replacement[] }>(config, {
      replacements: list(replacementShape),
    })
    return makeReplacements(replacements ?? [], context)
  },
  ReplicaCountTransformer: (config) => {
    const { replica, fieldSpecs } = read<{ replica?: Replica; fieldSpecs?: FieldSpec[] }>(config, {
      replica: replicaShape,
      fieldSpecs: fieldSpecsShape,
    })
    return (resources) => setReplicas(resources, replica ?? {}, fieldSpecs ?? [])
  },
  ValueAddTransformer: makeValueAdd,
}

function readAffixes(config: Resource): { prefix?: string; suffix?: string; fieldSpecs: FieldSpec[] } {
  const { fieldSpecs, ...affixes } = read<{ prefix?: string; suffix?: string; fieldSpecs?: FieldSpec[] }>(
    config,
    {
      prefix: 'string',
      suffix: 'string',
      fieldSpecs: fieldSpecsShape,
    },
  )
  if (fieldSpecs !== undefined) return { ...affixes, fieldSpecs }
  throw new BuildError('bad-value', 'must be given', { ...config.source, field: 'fieldSpecs' })
}

function makeNamespace(config: Resource): Transform {
  const { metadata, ...args } = read<{
    metadata?: Metadata
    fieldSpecs?: FieldSpec[]
    unsetOnly?: boolean
    setRoleBindingSubjects?: string
  }>(config, {
    metadata: metadataShape,
    fieldSpecs: fieldSpecsShape,
    unsetOnly: 'bool',
    setRoleBindingSubjects: 'string',
  })
  checkSubjectMode(args.setRoleBindingSubjects)
  return (resources) =>
    transformNamespace(resources, {
      ...args,
      namespace: metadata?.namespace ?? '',
      fieldSpecs: args.fieldSpecs ?? [],
    })
}

const targetShape = struct({ selector: selectorShape, fieldPath: 'string', filePathPosition: 'int' })

function makeValueAdd(config: Resource, { loader, parser }: TargetContext): Transform {
  const args = read<{ value?: string; targets?: ValueAddTarget[]; targetFilePath?: string }>(config, {
    value: 'string',
    targets: list(targetShape),
    targetFilePath: 'string',
  })
  const value = args.value?.trim() || baseName(loader.root)
  const targets = [...(args.targets ?? [])]
  if (args.targetFilePath !== undefined) {
    const file = parser.configuration(loader.load(args.targetFilePath))
    const more = decode<{ targets?: ValueAddTarget[] }>(file, struct({ targets: list(targetShape) }), {
      strict: false,
      coerce: true,
    })
    targets.push(...(more?.targets ?? []))
  }
  checkValueTargets(targets, config)
  return (resources) => addValue(resources, value, targets)
}

function checkValueTargets(targets: ValueAddTarget[], { source }: Resource): void {
  if (targets.length === 0)
    throw new BuildError('bad-value', 'must specify at least one target', { ...source, field: 'targets' })
  for (const { fieldPath = '', filePathPosition = 0 } of targets) {
    if (fieldPath === '')
      throw new BuildError('bad-value', 'cannot be empty', { ...source, field: 'fieldPath' })
    if (filePathPosition < 0)
      throw new BuildError('bad-value', 'cannot be negative', { ...source, field: 'filePathPosition' })
  }
}

function read<Args>(config: Resource, fields: Record<string, Shape>): Args {
  return decode<Args>(config.object, struct(fields), { strict: false, coerce: true }) ?? ({} as Args)
}

function requireBuiltin(config: Resource): void {
  if (config.apiVersion === 'builtin') return
  throw new BuildError(
    'not-supported',
    `the plugin ${config.apiVersion}/${config.kind} is not run: external plugins and functions are not supported; use a builtin kind`,
    config.source,
  )
}

function unknownPlugin(config: Resource, what: string): BuildError {
  return new BuildError('not-supported', `'${config.kind}' is no builtin ${what}`, {
    ...config.source,
    field: 'kind',
  })
}
