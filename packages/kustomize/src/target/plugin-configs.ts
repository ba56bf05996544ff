import { BuildError } from '../build-error.ts'
import { readResources } from '../parse/resources.ts'
import { appendOrigin, type Origin } from '../resource/origin.ts'
import type { Resource } from '../resource/resource.ts'
import { accumulatePaths } from './accumulate.ts'
import { Accumulator } from './accumulator.ts'
import type { TargetContext } from './context.ts'

export interface PluginConfig {
  resource: Resource
  /** What it makes or changes comes from here. */
  origin: Origin | undefined
}

/** The objects that configure generators, transformers or validators: inline, in files or in directories. */
export function loadPlugins(context: TargetContext, entries: string[], field: string): PluginConfig[] {
  if (entries.length === 0) return []
  const found = new Accumulator()
  const paths: string[] = []
  for (const entry of entries) {
    const inline = tryInline(entry, context)
    if (inline === undefined) paths.push(entry)
    else found.list.appendAll(inline)
  }
  accumulatePaths(context, found, paths, field)
  return found.list.items.map((resource) => ({ resource, origin: originOf(resource) }))
}

function tryInline(entry: string, context: TargetContext): Resource[] | undefined {
  try {
    const resources = readResources(context.parser.inline(entry, 'kustomize'), context.schemas, context.file)
    if (context.origin !== undefined) {
      for (const resource of resources) resource.origin = appendOrigin(context.origin, context.fileName)
    }
    return resources
  } catch (error) {
    // Text of several lines is no path: its own error says more than that there is no such file.
    if (error instanceof BuildError && !entry.trim().includes('\n')) return undefined
    throw error
  }
}

function originOf(resource: Resource): Origin | undefined {
  if (resource.origin === undefined) return undefined
  const { apiVersion, kind, name, namespace } = resource
  const configuredIn = resource.origin.path ?? ''
  return { configuredIn, configuredBy: { apiVersion, kind, name, namespace } }
}
