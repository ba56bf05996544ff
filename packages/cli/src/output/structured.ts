import { type Json, type KubeObject, parseJson, printYaml, stringifyJson } from '@setpoint/manifest'
import { UsageError } from '../errors.ts'

/** A value as JSON or YAML text. */
export function printStructured(value: unknown, format: string): string {
  const json = stringifyJson(value)
  if (format === 'json') return `${JSON.stringify(JSON.parse(json), undefined, 2)}\n`
  if (format === 'yaml') return printYaml(parseJson(json) as Json)
  throw new UsageError(`cannot print as ${format}`)
}

/** An object as a person wants to see it: without the bookkeeping of field managers. */
export function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** Several objects as kubectl prints them. */
export function listOf(objects: readonly KubeObject[]): object {
  return { apiVersion: 'v1', kind: 'List', items: objects.map(withoutManagedFields) }
}
