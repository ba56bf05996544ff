import { type Expression, parseExpression } from '@setpoint/cel'
import type { ObjectStatus } from '@setpoint/conditions'
import type { HealthCheckExpression, Kustomization } from '@setpoint/contracts'
import { type KubeObject, parseApiVersion } from '@setpoint/manifest'
import { readExpression } from '../invalid-expression.ts'

/** How to tell the health of the objects of a group, or of one of its kinds. */
export interface HealthRule {
  group: string
  /** undefined: every kind of the group. */
  kind: string | undefined
  /** In the order in which they are asked. */
  expressions: { status: 'InProgress' | 'Failed' | 'Current'; expression: Expression }[]
}

/** A Kustomization is a new object whenever it changes, so what was read from one stays true of it. */
const read = new WeakMap<Kustomization, HealthRule[]>()

/**
 * The rules of spec.healthCheckExprs. Flux's reading: of the API version only the group counts.
 * @throws Stalled naming the field and the place in the expression.
 */
export function healthRulesOf(kustomization: Kustomization): HealthRule[] {
  const found = read.get(kustomization)
  if (found !== undefined) return found
  const rules = (kustomization.spec.healthCheckExprs ?? []).map(ruleOf)
  read.set(kustomization, rules)
  return rules
}

/** The status that a rule gives a live object; undefined when none is about its kind. Never throws. */
export function statusByRules(rules: readonly HealthRule[], live: KubeObject): ObjectStatus | undefined {
  const { group } = parseApiVersion(live.apiVersion)
  const rule = rules.find((one) => one.group === group && (one.kind === undefined || one.kind === live.kind))
  return rule === undefined ? undefined : (outdatedStatus(live) ?? evaluate(rule, live))
}

/** What the status says is about an older generation. */
function outdatedStatus(live: KubeObject): ObjectStatus | undefined {
  const { observedGeneration } = (live.status ?? {}) as { observedGeneration?: unknown }
  const { generation } = live.metadata
  if (typeof observedGeneration !== 'number' || observedGeneration === generation) return undefined
  return {
    status: 'InProgress',
    message: `${live.kind} generation is ${generation}, but latest observed generation is ${observedGeneration}`,
  }
}

function evaluate(rule: HealthRule, live: KubeObject): ObjectStatus {
  try {
    const holds = rule.expressions.find(({ expression }) => expression.evaluateBoolean(live))
    if (holds === undefined)
      return { status: 'InProgress', message: 'no health check expression is true yet' }
    return { status: holds.status, message: `Resource is ${holds.status}` }
  } catch (error) {
    return { status: 'Unknown', message: error instanceof Error ? error.message : String(error) }
  }
}

function ruleOf(check: HealthCheckExpression, index: number): HealthRule {
  const at = `spec.healthCheckExprs[${index}]`
  const inOrder = [
    ['InProgress', 'inProgress'],
    ['Failed', 'failed'],
    ['Current', 'current'],
  ] as const
  return {
    group: parseApiVersion(check.apiVersion).group,
    kind: check.kind || undefined,
    expressions: inOrder.flatMap(([status, field]) => {
      const text = check[field]
      if (text === undefined || text === '') return []
      return [{ status, expression: readExpression(`${at}.${field}`, () => parseExpression(text)) }]
    }),
  }
}
