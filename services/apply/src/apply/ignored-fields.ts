import type { Kustomization } from '@setpoint/contracts'
import type { KubeObject } from '@setpoint/manifest'
import { Stalled } from '@setpoint/reconcile'

/** What to apply in place of an object, so that the fields that spec.ignore names stay as they are live. */
type Keep = (live: KubeObject) => KubeObject
type Rules = (object: KubeObject) => Keep | undefined

/** A Kustomization is a new object whenever it changes, so what was read from one stays true of it. */
const read = new WeakMap<Kustomization, Promise<Rules>>()

/** Undefined when spec.ignore says nothing of the object. */
export async function keptFields(
  kustomization: Kustomization,
  object: KubeObject,
): Promise<Keep | undefined> {
  return (await ignoreRulesOf(kustomization))?.(object)
}

/**
 * What spec.ignore says; undefined without it.
 * @throws Stalled naming the field that cannot be read.
 */
export async function ignoreRulesOf(kustomization: Kustomization): Promise<Rules | undefined> {
  if (!kustomization.spec.ignore?.length) return undefined
  const found = read.get(kustomization) ?? readRules(kustomization)
  read.set(kustomization, found)
  return found
}

async function readRules(kustomization: Kustomization): Promise<Rules> {
  // It brings the whole kustomize engine along, so it is loaded only where its selectors are needed.
  const { ignoredPaths, IgnoreRuleError, keepIgnored, readIgnoreRules } = await import('@setpoint/build')
  try {
    const rules = readIgnoreRules(kustomization)
    return (object) => {
      const paths = ignoredPaths(rules, object)
      return paths.length === 0 ? undefined : (live) => keepIgnored(object, live, paths)
    }
  } catch (error) {
    if (!(error instanceof IgnoreRuleError)) throw error
    throw new Stalled('ReconciliationFailed', error.message, { cause: error })
  }
}
