import { BuildError, within } from '../build-error.ts'
import type { TargetContext } from '../target/context.ts'
import { isMap, isMissingOrNull, isString, textOf, type Value, type ValueMap } from '../value.ts'
import {
  addReference,
  emptyConfig,
  mergeConfig,
  mergeSpecs,
  type TransformerConfig,
} from './transformer-config.ts'

/** Rules from the `crds` files: OpenAPI definitions with kustomize's own extensions. */
export function crdConfig(context: TargetContext): TransformerConfig | undefined {
  const paths = context.kustomization.crds ?? []
  if (paths.length === 0) return undefined
  let config = emptyConfig()
  for (const path of paths) {
    const file = context.loader.load(path)
    const definitions = context.parser.configuration(file)
    within({ file: file.path }, () => checkDefinitions(definitions))
    if (isMap(definitions)) config = mergeConfig(config, configOf(definitions))
  }
  return config
}

/** Of what these files hold, a CustomResourceDefinition is no OpenAPI definition. */
function checkDefinitions(definitions: Value | undefined): void {
  if (isMissingOrNull(definitions)) return
  if (!isMap(definitions)) throw new BuildError('bad-value', 'must be a map of OpenAPI definitions')
  for (const name in definitions) {
    const definition = definitions[name]
    if (isMissingOrNull(definition) || isMap(definition)) continue
    throw new BuildError(
      'bad-value',
      'must be an OpenAPI definition; a CustomResourceDefinition belongs under resources',
      { field: name },
    )
  }
}

function configOf(definitions: ValueMap): TransformerConfig {
  let config = emptyConfig()
  for (const name in definitions) {
    const properties = propertiesOf(definitions[name])
    if (!['kind', 'apiVersion', 'metadata'].every((field) => properties[field] !== undefined)) continue
    const rules = emptyConfig()
    addRules(rules, { kind: name.split('.').at(-1) ?? '', definitions, seen: [] }, name, [])
    config = mergeConfig(config, rules)
  }
  return config
}

function propertiesOf(definition: Value | undefined): ValueMap {
  const schema = isMap(definition) ? (definition.Schema ?? definition.schema) : undefined
  const properties = isMap(schema) ? schema.properties : undefined
  return isMap(properties) ? properties : {}
}

interface Definitions {
  kind: string
  definitions: ValueMap
  seen: string[]
}

function addRules(config: TransformerConfig, source: Definitions, type: string, path: string[]): void {
  if (source.seen.includes(type)) return
  const inner = { ...source, seen: [...source.seen, type] }
  const properties = propertiesOf(source.definitions[type])
  for (const name in properties) {
    const property = properties[name]
    if (isMap(property)) addPropertyRules(config, inner, property, [...path, name])
  }
}

function addPropertyRules(
  config: TransformerConfig,
  source: Definitions,
  property: ValueMap,
  path: string[],
): void {
  const spec = { kind: source.kind, path: path.join('/') }
  const has = (extension: string) => isString(property[extension])
  if (has('x-kubernetes-annotation'))
    config.commonAnnotations = mergeSpecs(config.commonAnnotations, [spec], 'crds')
  if (has('x-kubernetes-label-selector'))
    config.commonLabels = mergeSpecs(config.commonLabels, [spec], 'crds')
  if (has('x-kubernetes-identity')) config.namePrefix = mergeSpecs(config.namePrefix, [spec], 'crds')
  const version = property['x-kubernetes-object-ref-api-version']
  const kind = property['x-kubernetes-object-ref-kind']
  if (isString(version) && isString(kind)) {
    const nameKey = property['x-kubernetes-object-ref-name-key']
    const fieldSpecs = [
      { kind: source.kind, path: [...path, isString(nameKey) ? textOf(nameKey) : 'name'].join('/') },
    ]
    const reference = { version: textOf(version), kind: textOf(kind), fieldSpecs }
    config.nameReference = addReference(config.nameReference, reference)
  }
  if (isString(property.$ref)) addRules(config, source, textOf(property.$ref), path)
}
