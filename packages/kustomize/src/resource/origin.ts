import { type JsonObject, printYaml } from '@setpoint/manifest'
import { cleanRelative } from '../files/paths.ts'

/** Where an object comes from, as buildMetadata: [originAnnotations] writes it. */
export interface Origin {
  path?: string
  configuredIn?: string
  configuredBy?: { apiVersion?: string; kind?: string; name?: string; namespace?: string }
}

export const originAnnotation = 'config.kubernetes.io/origin'
export const transformationsAnnotation = 'alpha.config.kubernetes.io/transformations'

export function appendOrigin(origin: Origin, path: string): Origin {
  return { ...origin, path: cleanRelative(`${origin.path ?? ''}/${path}`) }
}

export function originText(origin: Origin): string {
  return printOrdered(orderedOrigin(origin), 0)
}

export function transformationsText(transformations: Origin[]): string {
  return transformations
    .map((transformation) => {
      const lines = printOrdered(orderedOrigin(transformation), 2)
      return `- ${lines.slice(2)}`
    })
    .join('')
}

type OriginFields = [string, string | [string, string][]][]

/** The fields in the order in which kustomize writes them; empty ones are left out. */
function orderedOrigin(origin: Origin): OriginFields {
  const fields: OriginFields = []
  if (origin.path !== undefined && origin.path !== '') fields.push(['path', origin.path])
  if (origin.configuredIn !== undefined && origin.configuredIn !== '')
    fields.push(['configuredIn', origin.configuredIn])
  const { apiVersion, kind, name, namespace } = origin.configuredBy ?? {}
  const by = Object.entries({ apiVersion, kind, name, namespace }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
  )
  if (by.length > 0) fields.push(['configuredBy', by])
  return fields
}

function printOrdered(fields: OriginFields, indent: number): string {
  const pad = ' '.repeat(indent)
  return fields
    .map(([key, value]) => {
      if (typeof value === 'string') return pad + printYaml({ [key]: value } satisfies JsonObject)
      return `${pad}${key}:\n${value.map(([name, text]) => `${pad}  ${printYaml({ [name]: text })}`).join('')}`
    })
    .join('')
}
