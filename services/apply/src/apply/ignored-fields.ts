import { APPLY_FIELD_MANAGER, type IgnoreRule, type Kustomization } from '@setpoint/contracts'
import type { KubeObject } from '@setpoint/manifest'
import { Stalled } from '@setpoint/reconcile'
import { appliedByOthers, parsePointer, valueAt, withValueAt } from './field-path.ts'

/** Fields that somebody else decides about. */
export interface IgnoredFields {
  matches(object: KubeObject): boolean
  paths: string[][]
}

/** A Kustomization is a new object whenever it changes, so what was read from one stays true of it. */
const read = new WeakMap<Kustomization, Promise<IgnoredFields[]>>()

/**
 * The rules of spec.ignore.
 * @throws Stalled naming the field that cannot be read.
 */
export function ignoredFieldsOf(kustomization: Kustomization): Promise<IgnoredFields[]> {
  const rules = kustomization.spec.ignore ?? []
  const found = read.get(kustomization) ?? Promise.all(rules.map(readRule))
  read.set(kustomization, found)
  return found
}

/** The paths that are ignored on one object. */
export async function ignoredPathsOf(kustomization: Kustomization, object: KubeObject): Promise<string[][]> {
  if (!kustomization.spec.ignore?.length) return []
  const rules = await ignoredFieldsOf(kustomization)
  return rules.filter((rule) => rule.matches(object)).flatMap(({ paths }) => paths)
}

/**
 * What to apply so that ignored fields stay as they are: one that another manager applies is left to it, any other is sent
 * as it is, for leaving out what we have once applied would remove it.
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

async function readRule({ paths, target }: IgnoreRule, index: number): Promise<IgnoredFields> {
  const at = `spec.ignore[${index}]`
  const pointers = paths.map((pointer, place) => readPointer(pointer, `${at}.paths[${place}]`))
  // The engine is large, so it is loaded only where its selectors are needed.
  const { objectMatcher } = await import('@setpoint/kustomize')
  try {
    return { matches: objectMatcher(target ?? {}), paths: pointers }
  } catch (error) {
    throw unreadable(`${at}.target`, error instanceof Error ? error.message : String(error))
  }
}

function readPointer(pointer: string, at: string): string[] {
  const path = parsePointer(pointer)
  if (path === undefined)
    throw unreadable(at, `'${pointer}' is no JSON pointer; write it as /spec/replicas, with ~1 for /`)
  if (['apiVersion', 'kind', 'metadata'].includes(path[0] ?? '') && !isOpenMetadata(path))
    throw unreadable(at, `'${pointer}' belongs to the identity of an object and cannot be ignored`)
  return path
}

/** Labels and annotations may be left to others; name, namespace and the rest may not. */
function isOpenMetadata([first, second, third]: string[]): boolean {
  return first === 'metadata' && (second === 'labels' || second === 'annotations') && third !== undefined
}

function unreadable(field: string, problem: string): Stalled {
  return new Stalled('ReconciliationFailed', `${field}: ${problem}`)
}
