import type { JsonObject } from '@setpoint/manifest'
import { printYamlStream } from '@setpoint/manifest'
import { BuildError, problemOf, within } from './build-error.ts'
import { Loader } from './files/loader.ts'
import { joinPath } from './files/paths.ts'
import { Tree } from './files/tree.ts'
import { checkKustomization } from './kustomization/read.ts'
import { applyOpenApi } from './merge/openapi.ts'
import { builtinSchema, Schemas } from './merge/schema.ts'
import { FileParser } from './parse/file.ts'
import { accumulateTarget, openTarget } from './target/accumulate.ts'
import { Accumulator } from './target/accumulator.ts'
import type { BuildContext, TargetContext } from './target/context.ts'
import { finish } from './target/finish.ts'
import type { BuildOptions, BuildResult, BuiltResource, FileSource, Limits, Problem } from './types.ts'

export const defaultLimits: Limits = {
  maxFileBytes: 25 * 1024 * 1024,
  maxTotalBytes: 128 * 1024 * 1024,
  maxResources: 100_000,
  maxDepth: 100,
  maxKustomizations: 10_000,
  maxNodes: 2_000_000,
}

/** Builds the kustomization in a directory of the tree. Never throws for bad input: see `problems`. */
export function build(files: FileSource, root: string, options: BuildOptions = {}): BuildResult {
  const tree = new Tree(files, { ...defaultLimits, ...options.limits }, options.openFile)
  const { resources, problems } = attempt(() => buildRoot(tree, root, options))
  return { resources, problems, reads: [...tree.reads].sort() }
}

/** The documents as kustomize prints them. */
export function printResources(resources: readonly { object: JsonObject }[]): string {
  return printYamlStream(resources.map(({ object }) => object))
}

function attempt(step: () => BuiltResource[]): { resources: BuiltResource[]; problems: Problem[] } {
  try {
    return { resources: step(), problems: [] }
  } catch (error) {
    return { resources: [], problems: [toProblem(error)] }
  }
}

function toProblem(error: unknown): Problem {
  if (error instanceof BuildError) return problemOf(error)
  if (error instanceof RangeError)
    return { code: 'limit-exceeded', message: `the input is nested too deep: ${error.message}` }
  const reason = error instanceof Error ? error.message : String(error)
  return { code: 'internal', message: `the build failed unexpectedly: ${reason}` }
}

function buildRoot(tree: Tree, root: string, options: BuildOptions): BuiltResource[] {
  const loader = openRoot(tree, root, options)
  const context: BuildContext = {
    parser: new FileParser(tree, options.cache),
    schemas: new Schemas(builtinSchema()),
    limits: tree.limits,
    buildMetadata: [],
    counts: { kustomizations: 0 },
  }
  const target =
    options.overlay === undefined
      ? openTarget(context, loader)
      : overlayTarget(context, loader, options.overlay)
  target.buildMetadata = checkBuildMetadata(target)
  if (target.buildMetadata.length > 0) target.origin = {}
  return within({ file: target.file }, () => {
    applyOpenApi(target)
    return finish(target, accumulateTarget(target, new Accumulator()), options)
  })
}

function openRoot(tree: Tree, root: string, options: BuildOptions): Loader {
  const joined = joinPath('', root)
  const resolved = joined === undefined ? undefined : tree.resolve(joined)
  const kind = resolved === undefined ? undefined : tree.kind(resolved)
  if (resolved === undefined || kind === undefined) {
    throw new BuildError('file-not-found', `the directory '${root}' does not exist`, { file: root })
  }
  if (kind === 'file')
    throw new BuildError('bad-path', `'${root}' is a file; a directory is wanted`, { file: root })
  return new Loader(tree, resolved, options.loadRestrictor !== 'none')
}

function overlayTarget(context: BuildContext, loader: Loader, overlay: JsonObject): TargetContext {
  const fileName = 'kustomization.yaml'
  const file = loader.root === '' ? fileName : `${loader.root}/${fileName}`
  const kustomization = within({ file }, () => checkKustomization(overlay))
  return { ...context, loader, kustomization, file, fileName, origin: undefined }
}

const metadataOptions = ['originAnnotations', 'transformerAnnotations', 'managedByLabel']

function checkBuildMetadata({ kustomization }: TargetContext): string[] {
  return (kustomization.buildMetadata ?? []).filter((option) => metadataOptions.includes(option))
}
