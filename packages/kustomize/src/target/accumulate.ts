import { BuildError, within } from '../build-error.ts'
import { crdConfig } from '../config/crds.ts'
import { loadConfig } from '../config/load.ts'
import type { Loader } from '../files/loader.ts'
import { isRemote } from '../files/paths.ts'
import { readKustomization } from '../kustomization/read.ts'
import { applyOpenApi } from '../merge/openapi.ts'
import { readResources } from '../parse/resources.ts'
import { appendOrigin } from '../resource/origin.ts'
import type { Resource } from '../resource/resource.ts'
import { mergeVars } from '../transformers/vars.ts'
import { Accumulator } from './accumulator.ts'
import type { BuildContext, TargetContext } from './context.ts'
import { runGenerators } from './generators.ts'
import { runTransformers, runValidators } from './transformers.ts'

/** Builds one kustomization: what it takes in, what it makes, what it changes. Names are not yet fixed. */
export function accumulateTarget(context: TargetContext, into: Accumulator): Accumulator {
  countTarget(context)
  const { kustomization, file } = context
  return within({ file }, () => {
    accumulatePaths(context, into, kustomization.resources ?? [], 'resources')
    into.mergeConfig(loadConfig(context))
    const crds = crdConfig(context)
    if (crds !== undefined) into.mergeConfig(crds)
    runGenerators(context, into)
    const result = accumulateComponents(context, into)
    runTransformers(context, result)
    runValidators(context, result)
    within({ field: 'vars' }, () =>
      mergeVars(result.vars, kustomization.vars ?? [], result.list, context.schemas),
    )
    return result
  })
}

function countTarget({ counts, limits, file }: TargetContext): void {
  counts.kustomizations += 1
  if (counts.kustomizations <= limits.maxKustomizations) return
  throw new BuildError(
    'limit-exceeded',
    `the build takes in more than ${limits.maxKustomizations} kustomizations`,
    { file },
  )
}

/** Takes in files of resources and directories of kustomizations. */
export function accumulatePaths(
  context: TargetContext,
  into: Accumulator,
  paths: string[],
  field: string,
): void {
  for (const [at, path] of paths.entries()) {
    within({ file: context.file, field: `${field}[${at}]` }, () => accumulatePath(context, into, path))
  }
}

function accumulatePath(context: TargetContext, into: Accumulator, path: string): void {
  if (isDirectory(context.loader, path)) {
    into.merge(accumulateDirectory(context, path, new Accumulator(), false))
    return
  }
  const resources = readResourceFile(context, path)
  into.list.appendAll(resources)
  const { maxResources } = context.limits
  if (into.list.items.length <= maxResources) return
  throw new BuildError('limit-exceeded', `there are more than ${maxResources} resources`)
}

function isDirectory(loader: Loader, path: string): boolean {
  if (isRemote(path) || path === '') {
    loader.directory(path)
  }
  return loader.tree.kind(loader.locate(path)) === 'directory'
}

function readResourceFile(context: TargetContext, path: string): Resource[] {
  const file = context.loader.load(path)
  const resources = readResources(context.parser.documents(file), context.schemas, file.path)
  if (context.origin !== undefined) {
    const origin = appendOrigin(context.origin, path)
    for (const resource of resources) resource.origin = origin
  }
  return resources
}

function accumulateComponents(context: TargetContext, into: Accumulator): Accumulator {
  let result = into
  for (const [at, path] of (context.kustomization.components ?? []).entries()) {
    result = within({ file: context.file, field: `components[${at}]` }, () =>
      accumulateDirectory(context, path, result, true),
    )
  }
  return result
}

/** A base stands for itself; a component works on what its parent has so far. */
function accumulateDirectory(
  context: TargetContext,
  path: string,
  into: Accumulator,
  isComponent: boolean,
): Accumulator {
  const loader = context.loader.directory(path)
  const sub = openTarget(context, loader)
  if (context.origin !== undefined) sub.origin = appendOrigin(context.origin, path)
  within({ file: sub.file }, () => applyOpenApi(sub))
  const isOne = sub.kustomization.kind === 'Component'
  if (isComponent && !isOne) {
    throw new BuildError('bad-value', `'${path}' is no component; its kind must be Component`, {
      file: sub.file,
      field: 'kind',
    })
  }
  if (!isComponent && isOne) {
    throw new BuildError('bad-value', `'${path}' is a component; name it under components`, {
      file: sub.file,
      field: 'kind',
    })
  }
  return accumulateTarget(sub, into)
}

export function openTarget(context: BuildContext, loader: Loader): TargetContext {
  const read = readKustomization(loader, context.parser)
  const { parser, schemas, limits, buildMetadata, counts } = context
  return { parser, schemas, limits, buildMetadata, counts, loader, ...read, origin: undefined }
}
