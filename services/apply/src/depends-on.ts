import { findCondition } from '@setpoint/conditions'
import type { Kustomization } from '@setpoint/contracts'

/** Why a dependency is not met. `soon`: it is ready, but has not come to the new revision yet. */
export interface Unmet {
  key: string
  message: string
  soon: boolean
}

/** The keys of the Kustomizations that must be ready first. */
export function dependencyKeys({ spec, metadata }: Kustomization): string[] {
  return (spec.dependsOn ?? []).map(
    ({ name, namespace }) => `${namespace || (metadata.namespace ?? '')}/${name}`,
  )
}

/**
 * The first dependency that is not met, by Flux's rules: its generation is observed, it is Ready, and when both are built
 * from the same source, it has applied the same revision. Pure.
 */
export function firstUnmet(
  kustomization: Kustomization,
  revision: string,
  find: (key: string) => Kustomization | undefined,
): Unmet | undefined {
  for (const key of dependencyKeys(kustomization)) {
    const unmet = unmetReason(kustomization, revision, key, find(key))
    if (unmet !== undefined) return unmet
  }
  return undefined
}

function unmetReason(
  kustomization: Kustomization,
  revision: string,
  key: string,
  dependency: Kustomization | undefined,
): Unmet | undefined {
  if (dependency === undefined) return { key, message: `dependency '${key}' not found`, soon: false }
  const { status = {}, metadata } = dependency
  const ready = findCondition(status.conditions, 'Ready')
  if (status.observedGeneration !== metadata.generation || ready?.status !== 'True')
    return { key, message: `dependency '${key}' is not ready`, soon: false }
  if (sourceOf(dependency) === sourceOf(kustomization) && status.lastAppliedRevision !== revision)
    return { key, message: `dependency '${key}' is not updated yet`, soon: true }
  return undefined
}

function sourceOf({ spec, metadata }: Kustomization): string {
  const { kind, name, namespace } = spec.sourceRef
  return `${kind}/${namespace || metadata.namespace}/${name}`
}
