import { BuildError } from '../build-error.ts'
import type { PatchArgs, Selector } from '../kustomization/types.ts'
import { decode } from '../parse/file.ts'
import { readResources } from '../parse/resources.ts'
import { describeId, sameId } from '../resource/id.ts'
import type { Resource } from '../resource/resource.ts'
import { keyOf, type ResourceList } from '../resource/resource-list.ts'
import { selectResources } from '../resource/selector.ts'
import type { TargetContext } from '../target/context.ts'
import { type JsonPatchOperation, parseJsonPatch } from './json-patch.ts'
import { applyOperations, mergePatch, patchFor } from './patch-resource.ts'

export type Transform = (list: ResourceList) => void

/** One entry of `patches`: a strategic-merge or a JSON patch, told apart by its content. */
export function makePatch(args: PatchArgs, context: TargetContext): Transform {
  const { text, file } = patchText(args, context)
  const merges = attempt(() => readResources(context.parser.inline(text, 'kustomize'), context.schemas, file))
  if (merges.value !== undefined) return makeMerges(merges.value, args, context)
  const operations = attempt(() => parseJsonPatch(text, context.parser))
  if (operations.value === undefined) throw bestError(merges.error, operations.error, text).at({ file })
  return makeOperations(operations.value, args.target, context)
}

function patchText(
  { path = '', patch = '' }: PatchArgs,
  context: TargetContext,
): { text: string; file: string } {
  const inline = patch.trim()
  if (inline === '' && path === '')
    throw new BuildError('bad-patch', 'a patch must have one of patch and path')
  if (inline !== '' && path !== '')
    throw new BuildError('bad-patch', 'a patch cannot have both patch and path')
  if (inline !== '') return { text: inline, file: context.file }
  const loaded = context.loader.loadFor(path, { as: 'patch', name: path })
  return { text: decode(loaded), file: loaded.path }
}

interface Attempt<Value> {
  value?: Value
  error?: BuildError
}

function attempt<Value>(step: () => Value): Attempt<Value> {
  try {
    return { value: step() }
  } catch (error) {
    if (error instanceof BuildError) return { error }
    throw error
  }
}

function bestError(merge: BuildError | undefined, json: BuildError | undefined, text: string): BuildError {
  const looksLikeOperations = /^\s*(\[|-\s)/.test(text)
  const error = looksLikeOperations ? json : merge
  return error ?? new BuildError('bad-patch', 'it is neither a strategic-merge patch nor a JSON patch')
}

function makeMerges(patches: Resource[], args: PatchArgs, context: TargetContext): Transform {
  const { target, options } = args
  for (const patch of patches) {
    patch.allowNameChange = options?.allowNameChange === true
    patch.allowKindChange = options?.allowKindChange === true
  }
  if (target === undefined) {
    return (list) => {
      for (const patch of patches) mergeById(list, patch, context)
    }
  }
  if (patches.length > 1) {
    throw new BuildError('bad-patch', 'a patch with a target cannot hold several strategic-merge patches', {
      field: 'patches',
    })
  }
  const [patch] = patches
  return (list) => {
    if (patch !== undefined) mergeInto(list, selectResources(list.items, target), patch, context)
  }
}

/** The resource that the patch names must be there, once. */
export function findTarget(list: ResourceList, patch: Resource): Resource {
  const id = patch.originalId
  const matches = list.matchingAnyId((other) => sameId(other, id))
  const [match] = matches
  if (match !== undefined && matches.length === 1) return match
  const found = matches.length === 0 ? 'no resource' : `${matches.length} resources`
  throw new BuildError('resource-not-found', `${found} for the patch ${describeId(id)}`, patch.source)
}

function mergeById(list: ResourceList, patch: Resource, context: TargetContext): void {
  mergePatch(findTarget(list, patch), patch, context.schemas)
}

/** Patches the chosen ones; no two resources may come out with one id. */
export function mergeInto(
  list: ResourceList,
  chosen: Resource[],
  patch: Resource,
  context: TargetContext,
): void {
  const ids = new Set(chosen.map((resource) => keyOf(resource.id)))
  for (const resource of list.items) {
    if (ids.has(keyOf(resource.id))) mergePatch(resource, patchFor(resource, patch), context.schemas)
  }
  const kept = list.items.filter((resource) => !resource.isEmpty())
  list.items = []
  list.appendAll(kept)
}

function makeOperations(
  operations: JsonPatchOperation[],
  target: Selector | undefined,
  context: TargetContext,
): Transform {
  return (list) => {
    if (target === undefined)
      throw new BuildError('bad-patch', 'a JSON patch must have a target', {
        file: context.file,
        field: 'patches',
      })
    for (const resource of selectResources(list.items, target)) {
      resource.storePreviousId()
      applyOperations(resource, operations)
    }
  }
}
