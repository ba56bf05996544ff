import { BuildError } from '../build-error.ts'
import type { PatchArgs } from '../kustomization/types.ts'
import { decode } from '../parse/file.ts'
import { readResources } from '../parse/resources.ts'
import type { Resource } from '../resource/resource.ts'
import { selectResources } from '../resource/selector.ts'
import type { TargetContext } from '../target/context.ts'
import { parseJsonPatch } from './json-patch.ts'
import { findTarget, mergeInto, type Transform } from './patch.ts'
import { applyOperations } from './patch-resource.ts'

/** `patchesStrategicMerge`: each entry is a patch, or the path of a file of patches. */
export function makeStrategicMergePatches(entries: string[], context: TargetContext, inline = ''): Transform {
  if (entries.length === 0 && inline === '')
    throw new BuildError('bad-patch', 'there is neither a path nor a patch')
  const patches = entries.flatMap((entry) => readEntry(entry, context))
  if (inline !== '')
    patches.push(...readResources(context.parser.inline(inline, 'kustomize'), context.schemas, context.file))
  if (patches.length === 0)
    throw new BuildError('bad-patch', 'the patch appears to be empty', { field: 'patchesStrategicMerge' })
  return (list) => {
    for (const patch of patches) mergeInto(list, [findTarget(list, patch)], patch, context)
  }
}

function readEntry(entry: string, context: TargetContext): Resource[] {
  if (/[\n:{]/.test(entry)) {
    const inline = tryInline(entry, context)
    if (inline !== undefined) return inline
  }
  const file = context.loader.load(entry)
  return readResources(context.parser.documents(file), context.schemas, file.path)
}

function tryInline(entry: string, context: TargetContext): Resource[] | undefined {
  try {
    return readResources(context.parser.inline(entry, 'kustomize'), context.schemas, context.file)
  } catch (error) {
    // Text of several lines is no path: its own error says more than that there is no such file.
    if (!(error instanceof BuildError) || entry.trim().includes('\n')) throw error
    return undefined
  }
}

/** One entry of `patchesJson6902`. */
export function makeJson6902Patch(
  { target, path = '', patch = '' }: PatchArgs,
  context: TargetContext,
): Transform {
  const field = 'patchesJson6902'
  if (target === undefined) throw new BuildError('bad-patch', 'must have a target', { field })
  if ((target.name ?? '') === '') throw new BuildError('bad-patch', 'must specify the target name', { field })
  if (path === '' && patch === '')
    throw new BuildError('bad-patch', 'there is neither a path nor a patch', { field })
  if (path !== '' && patch !== '')
    throw new BuildError('bad-patch', 'must have a path or a patch, not both', { field })
  const operations = parseJsonPatch(path === '' ? patch : decode(context.loader.load(path)), context.parser)
  if (operations.length === 0) throw new BuildError('bad-patch', 'the patch appears to be empty', { field })
  return (list) => {
    for (const resource of selectResources(list.items, target)) applyOperations(resource, operations)
  }
}
