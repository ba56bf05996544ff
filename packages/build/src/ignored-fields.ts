import { APPLY_FIELD_MANAGER, type IgnoreRule, type Kustomization } from '@setpoint/contracts'
import { objectMatcher } from '@setpoint/kustomize'
import type { KubeObject } from '@setpoint/manifest'
import { appliedByOthers, parsePointer, valueAt, withValueAt } from './field-path.ts'

/** Fields of some objects that somebody else decides about: one entry of spec.ignore. */
export interface IgnoredFields {
  matches(object: KubeObject): boolean
  paths: string[][]
}

/** An entry of spec.ignore cannot be read. The message begins with its field. */
export class IgnoreRuleError extends Error {
  override readonly name = 'IgnoreRuleError'
}

/**
 * Reads spec.ignore.
 * @throws IgnoreRuleError naming the field.
 */
export function readIgnoreRules({ spec }: Kustomization): IgnoredFields[] {
  return (spec.ignore ?? []).map(readRule)
}

/** The paths that are ignored on one object. */
export function ignoredPaths(rules: readonly IgnoredFields[], object: KubeObject): string[][] {
  return rules.filter((rule) => rule.matches(object)).flatMap(({ paths }) => paths)
}

/**
 * What to apply so that ignored fields of a live object stay as they are: one that another manager applies is left to it,
 * any other is sent as it is, for leaving out what we have once applied would remove it.
 */
export function keepIgnored(
  desired: KubeObject,
  live: KubeObject,
  paths: readonly (readonly string[])[],
): KubeObject {
  return paths.reduce((object, path) => {
    const isTheirs = appliedByOthers(live, path, APPLY_FIELD_MANAGER)
    return withValueAt(object, path, isTheirs ? undefined : valueAt(live, path))
  }, desired)
}

function readRule({ paths, target }: IgnoreRule, index: number): IgnoredFields {
  const at = `spec.ignore[${index}]`
  const pointers = paths.map((pointer, place) => readPointer(pointer, `${at}.paths[${place}]`))
  try {
    return { matches: objectMatcher(target ?? {}), paths: pointers }
  } catch (error) {
    throw new IgnoreRuleError(`${at}.target: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function readPointer(pointer: string, at: string): string[] {
  const path = parsePointer(pointer)
  if (path === undefined)
    throw new IgnoreRuleError(
      `${at}: '${pointer}' is no JSON pointer; write it as /spec/replicas, with ~1 for /`,
    )
  if (['apiVersion', 'kind', 'metadata'].includes(path[0] ?? '') && !isOpenMetadata(path))
    throw new IgnoreRuleError(
      `${at}: '${pointer}' belongs to the identity of an object and cannot be ignored`,
    )
  return path
}

/** Labels and annotations may be left to others; name, namespace and the rest may not. */
function isOpenMetadata([first, second, third]: string[]): boolean {
  return first === 'metadata' && (second === 'labels' || second === 'annotations') && third !== undefined
}
