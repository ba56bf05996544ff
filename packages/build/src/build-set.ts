import { createHash } from 'node:crypto'
import type { Kustomization } from '@setpoint/contracts'
import { build, type FileSource, fluxKustomization, type ParseCache, type Problem } from '@setpoint/kustomize'
import {
  describeRef,
  inventoryId,
  type JsonObject,
  type KubeObject,
  refOf,
  stringifyJson,
} from '@setpoint/manifest'
import { normalize } from './normalize.ts'
import { type Built, SubstitutionError, substituteObject } from './post-build.ts'
import type { Variables } from './variables.ts'

/** A set of objects ready to be applied. digest names its content. */
export interface BuiltSet {
  bytes: Uint8Array
  digest: string
  objects: number
}

/** What came of building a Kustomization from a tree: a set, or why there is none; and every path that was looked at. */
export type BuildOutcome = { reads: string[] } & (
  | { set: BuiltSet; problem?: never }
  | { problem: { reason: string; message: string }; set?: never }
)

const MAX_MESSAGE = 20_000

/** The objects of a Kustomization, or why there are none; and every path that was looked at. */
export type ObjectsOutcome = { reads: string[] } & (
  | { objects: JsonObject[]; problem?: never }
  | { problem: BuildProblem; objects?: never }
)

interface BuildProblem {
  /** A Flux condition reason. */
  reason: string
  message: string
}

/** Builds, substitutes and normalises, and packs the result for the bus. The tree and the variables are all it sees. */
export function buildSet(
  kustomization: Kustomization,
  files: FileSource,
  variables: Variables | undefined,
  cache: ParseCache,
): BuildOutcome {
  const { reads, objects, problem } = buildObjects(kustomization, files, variables, cache)
  if (problem !== undefined) return { reads, problem }
  const bytes = Buffer.from(stringifyJson({ objects }))
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  return { reads, set: { bytes, digest, objects: objects.length } }
}

/** Builds, substitutes and normalises the objects, in the order of the build. */
export function buildObjects(
  kustomization: Kustomization,
  files: FileSource,
  variables: Variables | undefined,
  cache?: ParseCache,
): ObjectsOutcome {
  const path = cleanPath(kustomization.spec.path)
  const flux = fluxKustomization(files, path, fluxSpec(kustomization))
  if (flux.problems.length > 0) return { reads: flux.reads, problem: problemOf(flux.problems) }
  const built = build(files, path, {
    overlay: flux.overlay,
    loadRestrictor: 'none',
    ...(cache === undefined ? {} : { cache }),
  })
  const reads = [...new Set([...flux.reads, ...built.reads])]
  if (built.problems.length > 0) return { reads, problem: problemOf(built.problems) }
  return { reads, ...finish(kustomization, built.resources, variables) }
}

function finish(kustomization: Kustomization, resources: Built[], variables: Variables | undefined) {
  const { namespace = '', name } = kustomization.metadata
  try {
    const objects = resources.map((resource) => {
      const object = variables === undefined ? resource.object : substituteObject(resource, variables.values)
      return normalize(object, { namespace, name }, kustomization.spec.commonMetadata as never)
    })
    const twice = findDuplicate(objects, resources)
    return twice === undefined ? { objects } : { problem: { reason: 'BuildFailed', message: twice } }
  } catch (error) {
    if (error instanceof SubstitutionError)
      return { problem: { reason: 'BuildFailed', message: error.message } }
    throw error
  }
}

/** kustomize refuses two objects with one id, but names may become equal only by a substitution. */
function findDuplicate(objects: JsonObject[], resources: Built[]): string | undefined {
  const files = new Map<string, string>()
  for (const [index, object] of objects.entries()) {
    const ref = refOf(object as unknown as KubeObject)
    const file = resources[index]?.source.file ?? ''
    const other = files.get(inventoryId(ref))
    if (other !== undefined) return `${describeRef(ref)} is defined twice: in ${other} and in ${file}`
    files.set(inventoryId(ref), file)
  }
  return undefined
}

function problemOf(problems: Problem[]): { reason: string; message: string } {
  const first = problems[0]?.message ?? ''
  const reason = first.startsWith('kustomization path not found') ? 'ArtifactFailed' : 'BuildFailed'
  const lines = problems.map(({ file, line, field, message }) => {
    const place = [file, line].filter((part) => part !== undefined && part !== '').join(':')
    return [place, field, message].filter(Boolean).join(': ')
  })
  const prefix = reason === 'BuildFailed' ? 'kustomize build failed: ' : ''
  return { reason, message: (prefix + lines.join('\n')).slice(0, MAX_MESSAGE) }
}

/** `./apps/web/` → `apps/web`. A path that leaves the source is refused by the engine. */
function cleanPath(path: string | undefined): string {
  return (path ?? '')
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
}

function fluxSpec({ spec }: Kustomization) {
  const {
    targetNamespace,
    namePrefix,
    nameSuffix,
    patches,
    images,
    components,
    ignoreMissingComponents,
    buildMetadata,
  } = spec
  const fields = {
    targetNamespace,
    namePrefix,
    nameSuffix,
    patches,
    images,
    components,
    ignoreMissingComponents,
    buildMetadata,
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
