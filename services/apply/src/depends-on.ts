import { compileExpression, type Expression } from '@setpoint/cel'
import { findCondition } from '@setpoint/conditions'
import type { DependencyReference, Kustomization } from '@setpoint/contracts'
import { readExpression } from './invalid-expression.ts'

/** Why a dependency is not met. `soon`: it is ready, but has not come to the new revision yet. */
export interface Unmet {
  key: string
  message: string
  soon: boolean
}

export interface DependencyCheck {
  /** What the Kustomization is to be brought to. */
  revision: string
  /** A readyExpr is asked besides the usual check, not in its place. */
  additive: boolean
  find(key: string): Kustomization | undefined
}

/** The keys of the Kustomizations that must be ready first. */
export function dependencyKeys(kustomization: Kustomization): string[] {
  return (kustomization.spec.dependsOn ?? []).map((dependency) => keyOf(kustomization, dependency))
}

/**
 * The first dependency that is not met, by Flux's rules: its generation is observed, it is Ready, and when both are built
 * from the same source, it has applied the same revision; or its readyExpr is true. Pure.
 * @throws Stalled when a readyExpr is no valid expression.
 */
export function firstUnmet(kustomization: Kustomization, check: DependencyCheck): Unmet | undefined {
  const expressions = (kustomization.spec.dependsOn ?? []).map(compiledReadyExpr)
  return (kustomization.spec.dependsOn ?? [])
    .map((dependency, index) => unmetReason(kustomization, dependency, expressions[index], check))
    .find((unmet) => unmet !== undefined)
}

function unmetReason(
  kustomization: Kustomization,
  reference: DependencyReference,
  readyExpr: Expression | undefined,
  { revision, additive, find }: DependencyCheck,
): Unmet | undefined {
  const key = keyOf(kustomization, reference)
  const dependency = find(key)
  if (dependency === undefined) return { key, message: `dependency '${key}' not found`, soon: false }
  const byExpression = readyExpr && unmetExpression(kustomization, dependency, key, readyExpr)
  if (readyExpr !== undefined && (byExpression !== undefined || !additive)) return byExpression
  return unmetByStatus(kustomization, dependency, key, revision)
}

function unmetByStatus(
  kustomization: Kustomization,
  dependency: Kustomization,
  key: string,
  revision: string,
): Unmet | undefined {
  const { status = {}, metadata } = dependency
  const ready = findCondition(status.conditions, 'Ready')
  if (status.observedGeneration !== metadata.generation || ready?.status !== 'True')
    return { key, message: `dependency '${key}' is not ready`, soon: false }
  if (sourceOf(dependency) === sourceOf(kustomization) && status.lastAppliedRevision !== revision)
    return { key, message: `dependency '${key}' is not updated yet`, soon: true }
  return undefined
}

function unmetExpression(
  self: Kustomization,
  dep: Kustomization,
  key: string,
  readyExpr: Expression,
): Unmet | undefined {
  try {
    if (readyExpr.evaluateBoolean({ self, dep })) return undefined
    return { key, message: `dependency '${key}' is not ready according to readyExpr`, soon: false }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { key, message: `dependency '${key}' is not ready: ${reason}`, soon: false }
  }
}

function compiledReadyExpr({ readyExpr }: DependencyReference, index: number): Expression | undefined {
  if (!readyExpr) return undefined
  return readExpression(`spec.dependsOn[${index}].readyExpr`, () =>
    compileExpression(readyExpr, ['self', 'dep']),
  )
}

function keyOf({ metadata }: Kustomization, { name, namespace }: DependencyReference): string {
  return `${namespace || (metadata.namespace ?? '')}/${name}`
}

function sourceOf({ spec, metadata }: Kustomization): string {
  const { kind, name, namespace } = spec.sourceRef
  return `${kind}/${namespace || metadata.namespace}/${name}`
}
