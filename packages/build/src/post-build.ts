import { SUBSTITUTE_SWITCH } from '@setpoint/contracts'
import { substitute } from '@setpoint/envsubst'
import { type Json, type JsonObject, parseYaml, printYaml } from '@setpoint/manifest'

/** A built object with the file that it came from. */
export interface Built {
  object: JsonObject
  source: { file: string; line: number }
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
  { strict = true }: { strict?: boolean | undefined } = {},
): JsonObject {
  if (isSwitchedOff(built.object)) return built.object
  const template = printYaml(built.object)
  if (!template.includes('$')) return built.object
  const result = substitute(template, variables, { strict })
  if (result.problem !== undefined)
    throw failure(built, `${result.problem.message} (line ${result.problem.line} of its YAML)`)
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
