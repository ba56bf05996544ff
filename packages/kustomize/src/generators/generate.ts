import { Buffer } from 'node:buffer'
import { addedKey } from '../added-key.ts'
import { BuildError } from '../build-error.ts'
import type { Loader } from '../files/loader.ts'
import type { GeneratorArgs, GeneratorOptions } from '../kustomization/types.ts'
import type { Scopes } from '../merge/schema.ts'
import { type GeneratorBehavior, Resource, type ResourceSource } from '../resource/resource.ts'
import { stringValue, type ValueMap } from '../value.ts'
import { type KeyValue, loadKeyValues } from './key-values.ts'

export interface GenerateContext {
  loader: Loader
  scopes: Scopes
  source: ResourceSource
}

export function generateConfigMap(args: GeneratorArgs, context: GenerateContext): Resource {
  const object = baseObject('ConfigMap', args)
  for (const { key, value } of sortByKey(loadKeyValues(args, context.loader))) {
    if (typeof value === 'string') entries(object, 'data')[addedKey(key)] = stringValue(value)
    else entries(object, 'binaryData')[addedKey(key)] = base64Lines(value)
  }
  return finish(object, args, context)
}

export function generateSecret(args: GeneratorArgs, context: GenerateContext): Resource {
  const object = baseObject('Secret', args)
  object.type = stringValue(args.type === undefined || args.type === '' ? 'Opaque' : args.type)
  const data = entries(object, 'data')
  for (const { key, value } of sortByKey(loadKeyValues(args, context.loader, { secret: true })))
    data[addedKey(key)] = stringValue(base64Lines(value))
  return finish(object, args, context)
}

function baseObject(kind: string, args: GeneratorArgs): ValueMap {
  const { name = '', namespace = '' } = args
  if (name === '')
    throw new BuildError('bad-value', `a generated ${kind} must have a name`, { field: 'name' })
  const metadata: ValueMap = { name: stringValue(name) }
  if (namespace !== '') metadata.namespace = stringValue(namespace)
  return { apiVersion: 'v1', kind, metadata }
}

function entries(object: ValueMap, field: 'data' | 'binaryData'): ValueMap {
  const map = object[field] as ValueMap | undefined
  if (map !== undefined) return map
  const created: ValueMap = {}
  object[field] = created
  return created
}

function sortByKey(pairs: KeyValue[]): KeyValue[] {
  return pairs.sort((left, right) => (left.key < right.key ? -1 : 1))
}

const lineLength = 70

/** Base64 in lines of 70 characters, where there is more than one. */
function base64Lines(value: string | Uint8Array): string {
  const text = Buffer.from(value as Uint8Array).toString('base64')
  if (text.length < lineLength) return text
  let out = ''
  for (let at = 0; at < text.length; at += lineLength) out += `${text.slice(at, at + lineLength)}\n`
  return out
}

function finish(object: ValueMap, args: GeneratorArgs, context: GenerateContext): Resource {
  const resource = new Resource(object, context.scopes, context.source)
  const options = args.options ?? {}
  addOptions(resource, options)
  resource.isGenerated = true
  resource.needsHash = options.disableNameSuffixHash !== true
  resource.behavior = behaviorOf(args.behavior)
  return resource
}

function addOptions(resource: Resource, options: GeneratorOptions): void {
  const labels = Object.entries(options.labels ?? {})
  const annotations = Object.entries(options.annotations ?? {})
  for (const [key] of [...labels, ...annotations]) addedKey(key)
  if (labels.length > 0) resource.setMetaMap('labels', new Map(labels))
  if (annotations.length > 0) resource.setMetaMap('annotations', new Map(annotations))
  if (options.immutable === true) resource.object.immutable = true
}

function behaviorOf(behavior: string | undefined): GeneratorBehavior {
  return behavior === 'create' || behavior === 'replace' || behavior === 'merge' ? behavior : 'unspecified'
}

/** The options of a kustomization hold for each of its generators; those of the generator go first. */
export function withGlobalOptions(args: GeneratorArgs, global: GeneratorOptions | undefined): GeneratorArgs {
  if (global === undefined) return args
  const local = args.options ?? {}
  const options: GeneratorOptions = { ...local }
  if (global.labels !== undefined) options.labels = { ...global.labels, ...local.labels }
  if (global.annotations !== undefined) options.annotations = { ...global.annotations, ...local.annotations }
  if (global.disableNameSuffixHash === true) options.disableNameSuffixHash = true
  if (global.immutable === true) options.immutable = true
  return { ...args, options }
}
