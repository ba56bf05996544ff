import { SUBSTITUTE_SWITCH } from '@setpoint/contracts'
import { isVariableName, type SubstitutionProblem, substitute } from '@setpoint/envsubst'
import { type Json, type JsonObject, parseYaml, printYaml } from '@setpoint/manifest'

/** A built object with the file that it came from. */
export interface Built {
  object: JsonObject
  source: { file: string; line: number }
  /** It holds what was encrypted. */
  decrypted?: boolean
}

/** Substitution failed on an object. Shows the template and the names of variables, never a value. */
export class SubstitutionError extends Error {
  override name = 'SubstitutionError'
}

/**
 * Replaces the `${…}` expressions in one object. It is textual, on the object's YAML, as in Flux: a value may turn a
 * string into a number. An object with the switch `substitute: disabled` stays as it is.
 * @throws SubstitutionError naming the object, its file, the variable and the line of the object's YAML.
 */
export function substituteObject(
  built: Built,
  variables: ReadonlyMap<string, string>,
  { strict = true, textOf }: { strict?: boolean | undefined; textOf?: TextOf } = {},
): JsonObject {
  if (isSwitchedOff(built.object)) return built.object
  const template = printYaml(built.object)
  if (!template.includes('$')) return built.object
  const result = substitute(template, variables, { strict })
  if (result.problem !== undefined) throw unsubstituted(built, result.problem, textOf)
  if (result.text === template) return built.object
  const { documents, problems } = parseYaml(result.text)
  const [document] = documents
  if (problems[0] !== undefined || document === undefined || documents.length > 1)
    throw failure(
      built,
      `is no valid YAML once its variables are replaced (line ${problems[0]?.line ?? 1}); quote the expression`,
    )
  if (!isObject(document.value))
    throw failure(
      built,
      'is no Kubernetes object once its variables are replaced: it lacks apiVersion, kind or name',
    )
  return document.value
}

/** The text of a file in Git. */
export type TextOf = (file: string) => string | undefined

/** Names the line in Git where the expression still stands there, else that of the built object. */
function unsubstituted(built: Built, problem: SubstitutionProblem, textOf?: TextOf): SubstitutionError {
  const line = lineInFile(built, problem.variable, textOf)
  if (line === undefined) return failure(built, `${problem.message} (line ${problem.line} of its YAML)`)
  const { object, source } = built
  return failure({ object, source: { ...source, file: `${source.file}:${line}` } }, problem.message)
}

function lineInFile({ source }: Built, variable: string | undefined, textOf?: TextOf): number | undefined {
  if (variable === undefined || !isVariableName(variable)) return undefined
  const expression = new RegExp(`\\$\\{#?${variable}\\b`)
  const lines = textOf?.(source.file)?.split('\n') ?? []
  const after = lines.findIndex((line, index) => index + 1 >= source.line && expression.test(line))
  return after < 0 ? undefined : after + 1
}

function isObject(value: Json): value is JsonObject {
  const { apiVersion, kind, metadata } = asMap(value)
  return [apiVersion, kind, asMap(metadata ?? null).name].every(
    (text) => typeof text === 'string' && text !== '',
  )
}

const asMap = (value: Json): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}

function failure({ object, source }: Built, why: string): SubstitutionError {
  const metadata = object.metadata as { name?: string; namespace?: string } | undefined
  const name = [object.kind, metadata?.namespace, metadata?.name].filter(Boolean).join('/')
  return new SubstitutionError(`post build substitution failed for ${name} (${source.file}): ${why}`)
}

/** The exact value `disabled`, as a label or an annotation. */
function isSwitchedOff(object: JsonObject): boolean {
  const metadata = (object.metadata ?? {}) as { labels?: JsonObject; annotations?: JsonObject }
  return [metadata.labels, metadata.annotations].some((map) => map?.[SUBSTITUTE_SWITCH] === 'disabled')
}
