import { createHash } from 'node:crypto'
import type { Kustomization } from '@setpoint/contracts'
import {
  type BuildOptions,
  type BuildResult,
  build,
  type FileSource,
  fluxKustomization,
  type ParseCache,
  type Problem,
} from '@setpoint/kustomize'
import {
  describeRef,
  inventoryId,
  type JsonObject,
  type KubeObject,
  refOf,
  stringifyJson,
} from '@setpoint/manifest'
import { decryptObjects, findEncryptedSecret, nameOf } from './decryption/decrypt-objects.ts'
import type { Decryption } from './decryption/decryption.ts'
import { Decryptor } from './decryption/decryptor.ts'
import { decryptingOpenFile } from './decryption/open-file.ts'
import { normalize } from './normalize.ts'
import { type Built, SubstitutionError, substituteObject, type TextOf } from './post-build.ts'
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
  | {
      objects: JsonObject[]
      /** Those that hold decrypted values. */
      decrypted: ReadonlySet<JsonObject>
      /** Those, and all that hold variables while some come from a Secret: an error must not quote them. */
      confidential: ReadonlySet<JsonObject>
      problem?: never
    }
  | { problem: BuildProblem; objects?: never; confidential?: never }
)

interface BuildProblem {
  /** A Flux condition reason. */
  reason: string
  message: string
}

/** What a build sees besides the Kustomization and the files. */
export interface BuildInputs {
  variables?: Variables | undefined
  decryption?: Decryption | undefined
  /** A variable without a value and without a default fails the build. Default true. */
  strict?: boolean | undefined
  cache?: ParseCache | undefined
}

/** Builds, decrypts, substitutes and normalises, and packs the result for the bus. */
export async function buildSet(
  kustomization: Kustomization,
  files: FileSource,
  inputs: BuildInputs,
): Promise<BuildOutcome> {
  const { reads, objects, confidential, problem } = await buildObjects(kustomization, files, inputs)
  if (problem !== undefined) return { reads, problem }
  const hidden = objects.flatMap((object, index) => (confidential.has(object) ? [index] : []))
  const bytes = Buffer.from(
    stringifyJson(hidden.length === 0 ? { objects } : { objects, confidential: hidden }),
  )
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  return { reads, set: { bytes, digest, objects: objects.length } }
}

/** Builds, decrypts, substitutes and normalises the objects, in the order of the build. */
export async function buildObjects(
  kustomization: Kustomization,
  files: FileSource,
  inputs: BuildInputs = {},
): Promise<ObjectsOutcome> {
  const { decryption } = inputs
  const decryptor = decryption === undefined ? undefined : new Decryptor(decryption)
  const built = await buildResources(kustomization, files, decryptor, inputs.cache)
  const problems = decryptor?.problems ?? new Map<string, string>()
  if (problems.size > 0) return { reads: built.reads, problem: decryptionProblem(problems) }
  if (built.problems.length > 0) return { reads: built.reads, problem: problemOf(built.problems) }
  const resources =
    decryptor === undefined
      ? built.resources
      : (await decryptObjects(built.resources, files, decryptor)).map((resource) =>
          decryptor.openedPatch ? { ...resource, decrypted: true } : resource,
        )
  if (problems.size > 0) return { reads: built.reads, problem: decryptionProblem(problems) }
  const textOf = (file: string) => {
    const content = files.read(file)
    return content && Buffer.from(content).toString()
  }
  return { reads: built.reads, ...finish(kustomization, resources, { ...inputs, textOf }) }
}

/** What kustomize builds. Twice, when it turns out that data keys are needed first. */
async function buildResources(
  kustomization: Kustomization,
  files: FileSource,
  decryptor: Decryptor | undefined,
  cache: ParseCache | undefined,
): Promise<BuildResult> {
  const path = cleanPath(kustomization.spec.path)
  const flux = fluxKustomization(files, path, fluxSpec(kustomization))
  if (flux.problems.length > 0) return { resources: [], problems: flux.problems, reads: flux.reads }
  const options: BuildOptions = {
    overlay: flux.overlay,
    loadRestrictor: 'none',
    ...(decryptor === undefined ? {} : { openFile: decryptingOpenFile(decryptor) }),
    ...(cache === undefined ? {} : { cache }),
  }
  const first = build(files, path, options)
  const built = (await decryptor?.recover()) ? build(files, path, options) : first
  return { ...built, reads: [...new Set([...flux.reads, ...built.reads])] }
}

function finish(
  kustomization: Kustomization,
  resources: Built[],
  { variables, strict, textOf }: BuildInputs & { textOf: TextOf },
) {
  const { namespace = '', name } = kustomization.metadata
  const locked = findEncryptedSecret(resources)
  if (locked !== undefined) return { problem: lockedProblem(locked) }
  try {
    const substituted = resources.map((resource) =>
      variables === undefined
        ? resource.object
        : substituteObject(resource, variables.values, { strict, textOf }),
    )
    const common = kustomization.spec.commonMetadata as never
    const objects = substituted.map((object) => normalize(object, { namespace, name }, common))
    const twice = findDuplicate(objects, resources)
    if (twice !== undefined) return { problem: { reason: 'BuildFailed', message: twice } }
    const decrypted = new Set(objects.filter((_, index) => resources[index]?.decrypted === true))
    const varied = objects.filter((_, index) => substituted[index] !== resources[index]?.object)
    return { objects, decrypted, confidential: new Set([...decrypted, ...(variables?.secret ? varied : [])]) }
  } catch (error) {
    if (error instanceof SubstitutionError)
      return { problem: { reason: 'BuildFailed', message: error.message } }
    throw error
  }
}

function decryptionProblem(problems: ReadonlyMap<string, string>): BuildProblem {
  const lines = [...problems].map(([place, reason]) => `cannot decrypt ${place}: ${reason}`)
  return { reason: 'BuildFailed', message: lines.join('\n').slice(0, MAX_MESSAGE) }
}

function lockedProblem({ object, source }: Built): BuildProblem {
  const message = `${nameOf(object)} (${source.file}) is SOPS encrypted, configuring decryption is required for this secret to be reconciled`
  return { reason: 'ReconciliationFailed', message }
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
