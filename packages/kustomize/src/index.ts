export { build, defaultLimits, printResources } from './build.ts'
export { describeProblem } from './build-error.ts'
export { memoryFiles } from './files/memory-files.ts'
export { type FluxBuildSpec, type FluxKustomization, fluxKustomization } from './flux.ts'
export { kustomizationFileNames } from './kustomization/read.ts'
export type { Kustomization } from './kustomization/types.ts'
export { createParseCache, type ParseCache } from './parse/cache.ts'
export { objectMatcher } from './resource/object-selector.ts'
export { kustomizeVersion } from './target/finish.ts'
export type {
  BuildOptions,
  BuildResult,
  BuiltResource,
  BuiltResource as Resource,
  FileSource,
  FileUse,
  Limits,
  OpenFile,
  Problem,
  ProblemCode,
} from './types.ts'
